/*
 * bh-obs - OBS Studio, by obs-websocket 5
 *
 * In:    wanted values, actions; what OBS tells
 * Out:   requests; parameters for all that OBS has, and their values; meters while somebody looks
 * Fails: an OBS that is not there is tried again for ever (conn.h says when). Meanwhile wanted
 *values are kept, the newest of each, and given to OBS when it is back, except those that change
 *the programme: they are refused at once, as actions are. What OBS refuses is told with its own
 *words, and what it has is reported again.
 *
 *	ws.c ──bytes──► proto.c ──messages──► model ──parameters──► router
 *	ws.c ◄─bytes─── queue.c ◄─requests── model ◄─values, actions─ router
 *
 * The connection's state is conn.c's; this file carries out what it says. The driver's loop turn
 *ends in obs_on_idle(), which sends what is due and arms the one timer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/driver.h"
#include "common/log.h"
#include "procs/obs/auth.h"
#include "procs/obs/conn.h"
#include "procs/obs/meter.h"
#include "procs/obs/options.h"
#include "procs/obs/ws.h"

BH_LOG_TOPIC("obs");

#define STAGE_BYTES OBS_WS_SEND_MAX /* of one RequestBatch of the picture */
#define BATCH_IDS   0x40000000u     /* the queue's ids are below */

/* What has become of requests: parameters that are always there. */
enum {
	R_VALUES,
	R_CONFLATED,
	R_SENT,
	R_ANSWERED,
	R_REFUSED,
	R_LATE,
	R_LOST,
	R_IN_FLIGHT_MOST,
	R_COUNT
};

#define REQUESTS(n, text) BH_PARAM("requests/" n, .type = BH_INT, .access = BH_R, .label = text)
static const struct bh_param obs_params[] = {
	[R_VALUES] = REQUESTS("values", "Values"), /* given by the router to be sent */
	[R_CONFLATED] =
		REQUESTS("conflated", "Conflat"), /* replaced by newer ones before they were sent */
	[R_SENT] = REQUESTS("sent", "Sent"),      /* requests, of all kinds */
	[R_ANSWERED] = REQUESTS("answered", "Answerd"),
	[R_REFUSED] = REQUESTS("refused", "Refused"), /* answered with an error */
	[R_LATE] = REQUESTS("late", "Late"),          /* dropped, not sent late */
	[R_LOST] = REQUESTS("lost", "Lost"),          /* with a connection, or without an answer */
	[R_IN_FLIGHT_MOST] = REQUESTS("in-flight-most", "InFlMax"),
	{0},
};

struct obs {
	struct bh_driver *drv; /* borrowed: outlives us */
	struct obs_ws *ws;     /* owned, as all below */
	struct obs_model *model;
	struct obs_decoder decoder;
	struct bh_timer *timer;
	uint8_t *stage; /* a RequestBatch of the picture */
	struct obs_meters *meters;
	uint64_t *kept;  /* bit per parameter: the hand set it while OBS was away or its picture
			    was being taken; the picture does not undo it */
	uint32_t params; /* how many there may be */
	uint64_t load_ns; /* the first picture since it was ready last was begun, 0 = none is */
	struct obs_conn conn;
	struct obs_sink sink;
	uint32_t batch; /* id of the stage in flight, 0 = none */
	uint32_t batches;
	uint32_t subscriptions;   /* as told last */
	uint64_t tick_ns;         /* the model's next moment, 0 = none */
	enum obs_conn_event news; /* to be done at the end of this turn: new options,
				     OBS_CONN_EVENTS = nothing */
	bool swept;               /* the parameters are those of this life */
	bool stale;               /* something happened since the model's moment was asked for */
	struct obs_chosen *chosen; /* borrowed: survives us; or here_chosen */
	struct obs_chosen here_chosen;
	uint64_t told_ns;         /* R_... were reported */
	struct obs_queue_counts told;
	struct bh_log_limit garbled, notes;
};

static const struct obs_config *
config(const struct obs *o)
{
	return bh_driver_config(o->drv);
}

static void obs_do(struct obs *o, enum obs_conn_event event);

/* ------------------------------------------------------------------ what the model tells */

static bool
is_kept(const struct obs *o, bh_param_id id)
{
	return id < o->params && o->kept[id / 64] & 1ull << id % 64;
}

static void
keep(struct obs *o, bh_param_id id, bool kept)
{
	if (id < o->params)
		o->kept[id / 64] = (o->kept[id / 64] & ~(1ull << id % 64)) | (uint64_t)kept << id % 64;
}

static int64_t
sink_add(void *ctx, const struct bh_param *p)
{
	struct obs *o = ctx;
	return bh_param_add(o->drv, p);
}

static int
sink_remove(void *ctx, bh_param_id id)
{
	struct obs *o = ctx;
	keep(o, id, false); /* its number may be another's next */
	return bh_param_remove(o->drv, id);
}

static int
sink_rename(void *ctx, bh_param_id id, const struct bh_param *p)
{
	struct obs *o = ctx;
	return bh_param_rename(o->drv, id, p);
}

static int
sink_report(void *ctx, bh_param_id id, struct bh_value v)
{
	struct obs *o = ctx;
	if (obs_model_is_choice(o->model, id)) /* whoever hears of it may count on it */
		obs_model_remember(o->model, o->chosen);
	return is_kept(o, id) && obs_model_may_wait(o->model, id) ? 0 : bh_report(o->drv, id, v);
}

static void
sink_meter(void *ctx, bh_param_id id, const double (*levels)[3], unsigned channels)
{
	struct obs *o = ctx;
	obs_meters_level(o->meters, id, levels, channels, bh_now_ns());
}

static void
tell_level(void *data, uint32_t param, double db)
{
	struct obs *o = data;
	bh_report(o->drv, param, bh_float(db));
}

static struct obs_ballistics
ballistics(const struct obs_config *cfg)
{
	return (struct obs_ballistics){.decay_db_s = cfg->meter_decay_db_s,
				       .hold_ms = cfg->meter_hold_ms};
}

static void
sink_value_failed(void *ctx, bh_param_id id, const char *text)
{
	struct obs *o = ctx;
	bh_value_failed(o->drv, id, "%s", text);
}

static void
sink_action_failed(void *ctx, const struct obs_ask *ask, const char *text)
{
	struct obs *o = ctx;
	bh_action_failed(o->drv, ask->action, ask->origin, ask->gen, "%s", text);
}

static void
sink_note(void *ctx, const char *text)
{
	struct obs *o = ctx;
	bh_log_limited(&o->notes, BH_LOG_WARN, bh_log_topic, "%s", text);
}

/* ------------------------------------------------------------------ health */

/* "127.0.0.1:4455: why", and the hint with our own name in it. */
static void
tell_health(struct obs *o)
{
	const struct obs_conn_health *h = obs_conn_health(&o->conn);
	char hint[160];
	const char *at = strstr(h->hint, "NAME");
	if (h->health == BH_HEALTH_OK) {
		bh_health_ok(o->drv);
		return;
	}
	snprintf(hint, sizeof(hint), "%.*s%s%s", (int)(at ? at - h->hint : 0), h->hint,
		 at ? bh_driver_name(o->drv) : "", at ? at + strlen("NAME") : h->hint);
	bh_health(o->drv, h->health, hint, "%s:%u: %s", config(o)->host, config(o)->port,
		  h->reason);
}

/* ------------------------------------------------------------------ the picture */

static void
send_stage(struct obs *o)
{
	struct obs_out out;
	obs_out_init(&out, o->stage, STAGE_BYTES);
	o->batch = 0;
	if (!obs_model_stage(o->model, BATCH_IDS + ++o->batches % BATCH_IDS, &out, bh_now_ns())) {
		obs_do(o, OBS_CONN_LOADED);
		return;
	}
	o->batch = BATCH_IDS + o->batches % BATCH_IDS;
	if (!obs_out_done(&out) || obs_ws_send(o->ws, out.buf, out.len) < 0)
		bh_bug_self("a stage of the picture cannot be sent: %zu bytes", out.len);
}

/* What was wanted while OBS was away, also by an earlier life, and is not what it had then. */
static void
note_kept(struct obs *o)
{
	struct bh_value v;
	for (uint32_t id = 0; id < o->params; id++)
		if (bh_unconfirmed(o->drv, id, &v) && obs_model_may_wait(o->model, id))
			keep(o, id, true);
}

/* The newest of a parameter that was set too early, or word that it is not done late; then what OBS has in place of it. */
static void
apply_one(struct obs *o, bh_param_id id, uint64_t now)
{
	struct bh_value v;
	uint64_t stamp = bh_wanted_stamp(o->drv, id);
	keep(o, id, false);
	if (!bh_wanted(o->drv, id, &v))
		; /* it was of a parameter that has gone */
	else if (obs_model_may_wait(o->model, id))
		obs_model_set(o->model, id, &v, stamp, now, UINT64_MAX);
	else if (stamp >= o->load_ns) /* it was not known for what it is when it came */
		bh_value_failed(o->drv, id, "OBS was being read; it is not done later");
	obs_model_report(o->model, id);
}

static void
apply_kept(struct obs *o)
{
	uint64_t now = bh_now_ns();
	for (uint32_t id = 0; id < o->params; id++)
		if (is_kept(o, id))
			apply_one(o, id, now);
	o->load_ns = 0;
}

static void
load(struct obs *o)
{
	uint64_t now = bh_now_ns();
	note_kept(o);
	o->load_ns = o->load_ns ? o->load_ns : now;
	obs_model_begin(o->model, now);
	send_stage(o);
}

/* ------------------------------------------------------------------ the connection */

static void
lost(struct obs *o)
{
	o->batch = 0;
	o->subscriptions = 0;
	o->load_ns = 0;
	obs_meters_silence(o->meters);
	obs_model_disconnected(o->model);
}

/* Carry out what follows from an event. */
static void
obs_do(struct obs *o, enum obs_conn_event event)
{
	bool was_ready = o->conn.state == OBS_CONN_READY;
	unsigned todo = obs_conn_step(&o->conn, event, bh_now_ns());
	bool is_open = o->conn.state >= OBS_CONN_IDENTIFYING && o->conn.state <= OBS_CONN_READY;
	o->stale = true;
	if (todo & OBS_CONN_DO_CLOSE)
		obs_ws_close(o->ws);
	if (!is_open)
		lost(o);
	if (!was_ready && o->conn.state == OBS_CONN_READY) {
		/* What an earlier life has left, and OBS has no more. */
		if (!o->swept)
			bh_param_sweep(o->drv);
		o->swept = true;
		apply_kept(o);
	}
	if (todo & OBS_CONN_DO_TELL)
		tell_health(o);
	if (todo & OBS_CONN_DO_PING)
		obs_ws_ping(o->ws);
	if (todo & OBS_CONN_DO_LOAD)
		load(o);
	if (todo & OBS_CONN_DO_OPEN) {
		bh_count(bh_driver_proc(o->drv), BH_CNT_RECONNECTS, 1);
		if (obs_ws_open(o->ws, config(o)->host, config(o)->port, config(o)->tls) < 0)
			obs_do(o, OBS_CONN_NO_NAME);
	}
}

static void
ws_on_open(void *data)
{
	obs_do(data, OBS_CONN_OPENED);
}

static void
ws_on_close(void *data, enum obs_ws_end end, int code, const char *why)
{
	struct obs *o = data;
	bh_dbg("closed (%d): %s", code, why);
	obs_do(o, obs_conn_end(end, code));
}

static void
ws_on_pong(void *data)
{
	obs_do(data, OBS_CONN_PONG);
}

static void
ws_on_busy(void *data, uint32_t limit_ms)
{
	struct obs *o = data;
	bh_proc_busy(bh_driver_proc(o->drv), limit_ms);
}

/* ------------------------------------------------------------------ messages */

static void
identify(struct obs *o, const struct obs_msg *msg)
{
	char answer[OBS_AUTH_SIZE] = "";
	uint8_t bytes[512];
	struct obs_out out;
	const char *password = config(o)->password;
	if (msg->needs_auth && !*password) {
		obs_do(o, OBS_CONN_NO_PASSWORD);
		return;
	}
	if (msg->needs_auth)
		obs_auth(password, msg->salt, msg->challenge, answer, sizeof(answer));
	o->subscriptions = obs_model_subscriptions(o->model);
	obs_out_init(&out, bytes, sizeof(bytes));
	obs_put_identify(&out, msg->needs_auth ? answer : NULL, o->subscriptions);
	bh_info("%s:%u: obs-websocket %s", config(o)->host, config(o)->port, msg->version);
	if (!obs_out_done(&out) || obs_ws_send(o->ws, out.buf, out.len) < 0)
		bh_bug_self("Identify cannot be sent");
	explicit_bzero(answer, sizeof(answer));
	explicit_bzero(bytes, sizeof(bytes));
}

static void
on_batch(struct obs *o, const struct obs_msg *msg)
{
	if (msg->batch_id < BATCH_IDS && obs_model_batched(o->model, msg, bh_now_ns()))
		return; /* it was an action's */
	if (!o->batch || msg->batch_id != o->batch)
		return;
	o->batch = 0;
	if (obs_model_batch(o->model, msg, bh_now_ns()) == -EAGAIN)
		obs_do(o, OBS_CONN_NOT_READY);
	else
		send_stage(o);
}

static void
on_response(struct obs *o, const struct obs_result *r)
{
	struct obs_ask ask;
	uint64_t now = bh_now_ns();
	if (obs_queue_answer(obs_model_queue(o->model), r->id, r->ok, now, &ask))
		obs_model_answer(o->model, &ask, r, now);
	else
		bh_log_limited(&o->garbled, BH_LOG_WARN, bh_log_topic,
			       "OBS answers what was not asked (request %" PRIu32 ")", r->id);
}

static void
ws_on_message(void *data, const uint8_t *bytes, size_t len)
{
	struct obs *o = data;
	struct obs_msg msg;
	const char *why = "";
	bh_count(bh_driver_proc(o->drv), BH_CNT_BYTES_IN, len);
	if (obs_decode(&o->decoder, bytes, len, &msg, &why) < 0) {
		bh_log_limited(&o->garbled, BH_LOG_WARN, bh_log_topic,
			       "OBS sends what is no message: %s", why);
		obs_do(o, OBS_CONN_GARBLED);
		return;
	}
	o->stale = true;
	switch (msg.op) {
	case OBS_OP_HELLO: identify(o, &msg); break;
	case OBS_OP_IDENTIFIED: obs_do(o, OBS_CONN_IDENTIFIED); break;
	case OBS_OP_EVENT: obs_model_event(o->model, msg.event, msg.data, bh_now_ns()); break;
	case OBS_OP_RESPONSE: on_response(o, &msg.result); break;
	case OBS_OP_BATCH_RESPONSE: on_batch(o, &msg); break;
	case OBS_OP_IDENTIFY:
	case OBS_OP_REIDENTIFY:
	case OBS_OP_REQUEST:
	case OBS_OP_BATCH: break; /* ours to say */
	}
	if (o->conn.state == OBS_CONN_READY && obs_model_wants_picture(o->model))
		obs_do(o, OBS_CONN_RELOAD);
	bh_proc_flush(bh_driver_proc(o->drv)); /* before the next message is read */
}

static const struct obs_ws_ops ws_ops = {
	.on_open = ws_on_open,
	.on_message = ws_on_message,
	.on_close = ws_on_close,
	.on_pong = ws_on_pong,
	.on_busy = ws_on_busy,
};

/* ------------------------------------------------------------------ the end of a turn */

static void
on_dropped(void *data, const struct obs_ask *ask)
{
	struct obs *o = data;
	obs_model_dropped(o->model, ask);
}

static void
send_due(struct obs *o, uint64_t now)
{
	struct obs_queue *q = obs_model_queue(o->model);
	const uint8_t *bytes;
	struct obs_ask ask;
	size_t len;
	while (!obs_model_is_frozen(o->model) &&
	       obs_queue_next(q, now, &bytes, &len, &ask, on_dropped)) {
		if (obs_ws_send(o->ws, bytes, len) < 0)
			return; /* it has no answer, and is given up in time */
		bh_count(bh_driver_proc(o->drv), BH_CNT_BYTES_OUT, len);
	}
	uint32_t want = obs_model_subscriptions(o->model);
	if (want != o->subscriptions && o->conn.state == OBS_CONN_READY) {
		uint8_t buf[64];
		struct obs_out out;
		obs_out_init(&out, buf, sizeof(buf));
		obs_put_reidentify(&out, want);
		if (obs_ws_send(o->ws, out.buf, out.len) == 0)
			o->subscriptions = want;
	}
}

static void
give_up(struct obs *o, uint64_t now)
{
	struct obs_ask ask;
	while (obs_queue_expire(obs_model_queue(o->model), now, &ask))
		obs_model_dropped(o->model, &ask);
}

/* The books, now and then. */
static uint64_t
tell_counts(struct obs *o, uint64_t now)
{
	const struct obs_queue_counts *c = obs_queue_counts(obs_model_queue(o->model));
	uint64_t due = o->told_ns + config(o)->stats_ms * BH_NS_PER_MS;
	const uint64_t n[R_COUNT] = {
		[R_VALUES] = c->values,
		[R_CONFLATED] = c->conflated,
		[R_SENT] = c->sent,
		[R_ANSWERED] = c->answered,
		[R_REFUSED] = c->refused,
		[R_LATE] = c->late,
		[R_LOST] = c->lost + c->lost_values + c->expired,
		[R_IN_FLIGHT_MOST] = c->in_flight_most,
	};
	if (!memcmp(c, &o->told, sizeof(*c)))
		return 0;
	if (now < due)
		return due;
	for (unsigned k = 0; k < R_COUNT; k++)
		bh_report(o->drv, k, bh_int((int64_t)n[k]));
	o->told = *c;
	o->told_ns = now;
	return 0;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static void
obs_on_idle(void *data)
{
	struct obs *o = data;
	enum obs_conn_event news = o->news;
	o->news = OBS_CONN_EVENTS;
	/* Who reloads or syncs while OBS refuses us has perhaps put right there what was wrong. */
	if (news == OBS_CONN_RELOAD && (o->conn.state == OBS_CONN_REFUSED || o->conn.state == OBS_CONN_KICKED))
		news = OBS_CONN_START;
	if (news != OBS_CONN_EVENTS && (news == OBS_CONN_START || o->conn.state == OBS_CONN_READY))
		obs_do(o, news);
	uint64_t now = bh_now_ns(), next;
	/* First what a hand waits for; then what the model makes of it. */
	if (o->conn.state == OBS_CONN_READY)
		send_due(o, now);
	if (o->stale || (o->tick_ns && o->tick_ns <= now)) {
		o->stale = false;
		o->tick_ns = obs_model_tick(o->model, now);
		obs_model_remember(o->model, o->chosen);
	}
	if (o->conn.state == OBS_CONN_READY) {
		give_up(o, now);
		send_due(o, now);
	}
	next = sooner(o->tick_ns, obs_conn_deadline(&o->conn));
	if (o->conn.state == OBS_CONN_READY)
		next = sooner(next, obs_queue_deadline(obs_model_queue(o->model)));
	next = sooner(next, obs_meters_tick(o->meters, now));
	next = sooner(next, tell_counts(o, now));
	bh_timer_at(o->timer, next ? bh_mono_ns() + (next > now ? next - now : 1) : 0, 0);
}

static void
on_timer(void *data)
{
	struct obs *o = data;
	uint64_t due = obs_conn_deadline(&o->conn);
	if (due && due <= bh_now_ns())
		obs_do(o, OBS_CONN_TICK);
}

/* ------------------------------------------------------------------ values and actions */

static const char *
absence(const struct obs *o)
{
	return o->conn.state == OBS_CONN_LOADING ? "OBS is being read" : "OBS is not connected";
}

static int
obs_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct obs *o = data;
	o->stale = true;
	if (o->conn.state != OBS_CONN_READY && obs_model_is_show(o->model, id)) {
		bh_value_failed(o->drv, id, "%s; it is not done later", absence(o));
		return -ENOTCONN;
	}
	int r = obs_model_set(o->model, id, v, bh_wanted_stamp(o->drv, id), bh_now_ns(), bh_driver_max_age_ns(o->drv));
	/* It has been said of what may not wait. -ENOENT: the first picture of this life has not told it yet. */
	if (obs_model_may_wait(o->model, id) && (r == -ENOTCONN || (r == -ENOENT && o->conn.state != OBS_CONN_READY)))
		keep(o, id, true);
	return r;
}

static int
obs_on_action(void *data, const struct bh_action *a)
{
	struct obs *o = data;
	o->stale = true;
	if (o->conn.state == OBS_CONN_READY)
		return obs_model_action(o->model, a, bh_now_ns(), bh_driver_max_age_ns(o->drv));
	bh_action_failed(o->drv, a->id, a->origin, a->gen, "%s", absence(o));
	return -ENOTCONN;
}

static void
obs_on_watch(void *data, bh_param_id id, bool shown)
{
	struct obs *o = data;
	if (!shown)
		obs_meters_forget(o->meters, id);
	obs_model_watch(o->model, id, shown);
	o->stale = true;
}

static void
obs_on_sync(void *data)
{
	struct obs *o = data;
	o->news = OBS_CONN_RELOAD;
}

/* ------------------------------------------------------------------ start, new options, stop */

static bool
same_peer(const struct obs_config *a, const struct obs_config *b)
{
	return !strcmp(a->host, b->host) && a->port == b->port &&
	       !strcmp(a->password, b->password) && a->tls == b->tls;
}

static int
obs_on_config(void *data, const void *next, char *why, size_t cap)
{
	struct obs *o = data;
	const struct obs_config *cfg = next, *old = config(o);
	int r = obs_options_check(cfg, why, cap);
	if (r == 0)
		r = obs_model_reconfigure(o->model, cfg);
	if (r < 0)
		return r;
	obs_meters_configure(o->meters, ballistics(cfg));
	obs_conn_keepalive(&o->conn, cfg->keepalive_ms);
	o->stale = true;
	o->news = same_peer(cfg, old) ? OBS_CONN_RELOAD : OBS_CONN_START;
	return 0;
}

static int
obs_refuse_options(struct obs *o, const char *why)
{
	bh_err("%s", why);
	return bh_health(o->drv, BH_HEALTH_BAD_CONFIG, "correct it and reload", "%s", why);
}

static int
obs_start(struct bh_driver *drv, void *data)
{
	struct obs *o = data;
	char why[200];
	o->drv = drv;
	o->params = bh_driver_params(drv);
	o->garbled = o->notes = (struct bh_log_limit)BH_LOG_LIMIT(5, 10000);
	o->sink = (struct obs_sink){
		.ctx = o,
		.add = sink_add,
		.remove = sink_remove,
		.rename = sink_rename,
		.report = sink_report,
		.meter = sink_meter,
		.value_failed = sink_value_failed,
		.action_failed = sink_action_failed,
		.note = sink_note,
	};
	o->ws = obs_ws_new(bh_driver_loop(drv), &ws_ops, o);
	o->model = obs_model_new(config(o), &o->sink, o->params);
	o->meters = obs_meters_new(o->params, ballistics(config(o)), tell_level, o);
	o->timer = bh_timer_new(bh_driver_loop(drv), on_timer, o);
	o->stage = malloc(STAGE_BYTES);
	o->kept = calloc((o->params + 63) / 64, sizeof(*o->kept));
	if (!o->ws || !o->model || !o->meters || !o->timer || !o->stage || !o->kept ||
	    obs_decoder_init(&o->decoder) < 0)
		return -ENOMEM;
	o->chosen = bh_driver_scratch(drv, sizeof(*o->chosen));
	o->chosen = o->chosen ? o->chosen : &o->here_chosen;
	obs_model_recall(o->model, o->chosen);
	obs_conn_init(&o->conn, config(o)->keepalive_ms,
		      (uint32_t)bh_now_ns() ^ (uint32_t)getpid());
	/* A wrong configuration is no reason to end: it would be as wrong in the next life. */
	if (obs_options_check(config(o), why, sizeof(why)) < 0)
		return obs_refuse_options(o, why);
	o->news = OBS_CONN_START;
	return bh_health(drv, BH_HEALTH_CONNECTING, "", "%s:%u: looking for OBS", config(o)->host, config(o)->port);
}

static void
obs_stop(void *data)
{
	struct obs *o = data;
	obs_ws_free(o->ws);
	obs_model_free(o->model);
	obs_meters_free(o->meters);
	obs_decoder_fini(&o->decoder);
	bh_timer_free(o->timer);
	free(o->stage);
	free(o->kept);
}

static void
obs_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	const struct obs_config *cfg = config;
	static const char *const trusted[] = {"/usr", "/etc/ssl", "/etc/pki", "/etc/ca-certificates"};
	if (!bh_sandbox_host(plan, cfg->host))
		bh_sandbox_drop(plan, BH_MAY_UDP);
	for (size_t i = 0; cfg->tls && i < BH_ARRAY_LEN(trusted); i++)
		bh_sandbox_path(plan, BH_MAY_READ, trusted[i]);
	bh_sandbox_port(plan, cfg->port);
}

BH_DRIVER(.name = "obs", .state_size = sizeof(struct obs), .fields = obs_fields,
	  .config_size = sizeof(struct obs_config),
	  .sandbox = {.line = {{BH_MAY_TCP, NULL, "speaks to OBS over TCP"},
			       {BH_MAY_PORT, NULL, "to this port alone: port"},
			       {BH_MAY_UDP, NULL, "the name of a host is asked for by datagrams; not if host is a number"},
			       {BH_MAY_READ, NULL, "where names of hosts are looked up; not if host is a number"},
			       {BH_MAY_READ, NULL, "whose certificates are trusted; not without tls"},
			       {BH_MAY_READ, "/dev/urandom", "random numbers of libwebsockets"},
			       {BH_MAY_SECRETS, NULL, "knows the password of OBS"}},
		      .configured = obs_sandbox},
	  .max_params = 2048, .params = obs_params, .actions = obs_actions, .start = obs_start,
	  .stop = obs_stop, .on_value = obs_on_value, .on_action = obs_on_action,
	  .on_config = obs_on_config, .on_watch = obs_on_watch, .on_sync = obs_on_sync,
	  .on_idle = obs_on_idle)

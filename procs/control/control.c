/*
 * control - bh-control: the one door for requests
 *
 * In:    msgpack requests on a ZeroMQ ROUTER; health and results from the supervisor's and the router's ring
 * Out:   answers; requests as events into the ring of router or supervisor; events on a ZeroMQ PUB
 * Fails: reads are answered out of shared memory, whoever is down. An act whose carrier does not answer is answered by
 *        "timed-out". If bh-control dies, nothing else notices: its clients time out, its successor binds the same
 *        sockets. It runs on no clock while nothing is asked and nobody subscribes to values.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/proc.h"
#include "common/units.h"
#include "common/wire/view.h"
#include "procs/control/endpoint.h"
#include "procs/control/publish.h"
#include "procs/control/resolve.h"

BH_LOG_TOPIC("control");

#define PENDING_MAX 64
#define RESULT_TEXT_MAX 16384u
#define LEVELS_S 3 /* who asks for a level once will ask again soon, or not at all */
#define REQUESTS_A_TURN 64 /* then the rings have their turn */

struct control_config {
	uint32_t request_timeout, reload_timeout, event_interval;
};

static const struct bh_cfg_field control_fields[] = {
	BH_CFG(struct control_config, request_timeout, .type = BH_CFG_MS, .def = "2s", .min = "100ms", .max = "60s",
	       .reload = BH_RELOAD_LIVE, .help = "how long an act may take before its request is answered by an error"),
	BH_CFG(struct control_config, reload_timeout, .type = BH_CFG_MS, .def = "15s", .min = "1s", .max = "120s",
	       .reload = BH_RELOAD_LIVE, .help = "the same for reload, which asks every process"),
	BH_CFG(struct control_config, event_interval, .type = BH_CFG_MS, .def = "50ms", .min = "10ms", .max = "10s",
	       .reload = BH_RELOAD_LIVE, .help = "how often a subscriber hears of one value at most"),
	BH_CFG_LAST,
};

/* An act on its way. */
struct pending {
	bool used;
	uint32_t number;
	uint64_t id, deadline_ns; /* CLOCK_MONOTONIC */
	enum bh_wire_verb verb;
	uint16_t to;
	struct endpoint_client client;
	char *text; /* owned: what came of the answer so far */
	size_t text_len;
};

struct control {
	struct bh_proc *proc; /* borrowed */
	struct endpoint ep;
	struct publisher pub;
	struct bh_watch *requests_watch, *events_watch; /* owned by the loop */
	struct bh_timer *deadline, *look;		 /* owned */
	struct bh_view view;
	struct pending pending[PENDING_MAX];
	uint32_t next_number;
	struct bh_wire_out out;
	bool more; /* requests were left for the next turn */
	uint64_t malformed;
};

/* ------------------------------------------------------------------ the view */

static void
refresh_view(struct control *c)
{
	struct bh_proc *proc = c->proc;
	struct bh_view *v = &c->view;
	memset(v, 0, sizeof(*v));
	v->table = proc->table_seg.base ? &proc->table_seg : NULL;
	v->config = proc->config.head ? &proc->config : NULL;
	v->state = proc->peer[BH_SLOT_ROUTER].state_seg.base ? &proc->peer[BH_SLOT_ROUTER].state_seg : NULL;
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		v->slot[s].self = proc->peer[s].self;
		v->slot[s].account = bh_account_of(&proc->peer[s].self_seg);
		v->slot[s].dir = proc->peer[s].has_dir ? &proc->peer[s].dir : NULL;
	}
	if (proc->slot < BH_MAX_SLOTS) {
		v->slot[proc->slot].self = proc->self;
		v->slot[proc->slot].account = proc->account;
	}
}

/* ------------------------------------------------------------------ answering */

static void
send_out(struct control *c, const struct endpoint_client *client)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(3, 10000);
	if (c->out.failed) {
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "an answer is too large and was not sent");
		return;
	}
	int r = endpoint_answer(&c->ep, client, c->out.data, c->out.len);
	if (r < 0)
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "an answer could not be sent: %s", strerror(-r));
	bh_count(c->proc, BH_CNT_BYTES_OUT, c->out.len);
}

static void
answer_error(struct control *c, const struct endpoint_client *client, uint64_t id, const struct bh_wire_error *err)
{
	bh_wire_out_reset(&c->out);
	bh_wire_begin_answer(&c->out, id, false);
	bh_wire_put_error(&c->out, err);
	bh_wire_close(&c->out);
	send_out(c, client);
}

static void
pending_free(struct pending *p)
{
	free(p->text);
	memset(p, 0, sizeof(*p));
}

static void
arm_deadline(struct control *c)
{
	uint64_t next = 0;
	for (unsigned i = 0; i < PENDING_MAX; i++)
		if (c->pending[i].used && (!next || c->pending[i].deadline_ns < next))
			next = c->pending[i].deadline_ns;
	bh_timer_at(c->deadline, next, 0);
}

static void
on_deadline(void *data)
{
	struct control *c = data;
	uint64_t now = bh_mono_ns();
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &c->pending[i];
		struct bh_wire_error err = {0};
		if (!p->used || p->deadline_ns > now)
			continue;
		bool passed_on = strcmp(bh_wire_verbs[p->verb].to, "process") == 0;
		const char *who = p->to == BH_SLOT_ROUTER ? "router" : passed_on ? "process" : "supervisor";
		bh_wire_fail(&err, "timed-out", "`bulkhead status` tells how it is; whether the act was done is not known",
			     "the %s has not answered \"%s\" in time", who, bh_wire_verbs[p->verb].name);
		answer_error(c, &p->client, p->id, &err);
		pending_free(p);
	}
	arm_deadline(c);
}

static bool
is_reload(enum bh_wire_verb verb)
{
	return verb == BH_VERB_RELOAD || verb == BH_VERB_PROFILE;
}

static struct pending *
pending_new(struct control *c, const struct endpoint_client *client, const struct bh_wire_request *req)
{
	const struct control_config *cfg = bh_proc_config(c->proc);
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &c->pending[i];
		if (p->used)
			continue;
		*p = (struct pending){.used = true, .number = c->next_number++, .id = req->id, .verb = req->verb, .client = *client};
		p->deadline_ns = bh_mono_ns() + (is_reload(req->verb) || req->verb == BH_VERB_RESTART ? cfg->reload_timeout : cfg->request_timeout) * BH_NS_PER_MS;
		return p;
	}
	return NULL;
}

static void
act(struct control *c, const struct endpoint_client *client, const struct bh_wire_request *req)
{
	struct control_act a;
	struct bh_wire_error err = {0};
	struct pending *p = NULL;
	int r = control_resolve(&c->view, req, &a, &err);
	if (r == 0) {
		struct bh_peer *to = bh_proc_peer(c->proc, a.to);
		p = to && to->has_out ? pending_new(c, client, req) : NULL;
		if (!to || !to->has_out)
			r = bh_wire_fail(&err, "not-running", "`bulkhead status` tells why", "the %s is not there",
					 a.to == BH_SLOT_ROUTER ? "router" : "supervisor");
		else if (!p)
			r = bh_wire_fail(&err, "busy", "try again", "%d requests are waiting for their answers", PENDING_MAX);
	}
	if (r == 0) {
		struct bh_event ev = {.kind = BH_EV_REQUEST, .id = (uint32_t)a.code, .total = p->number, .stamp_ns = bh_now_ns()};
		p->to = a.to;
		if (bh_proc_send(c->proc, bh_proc_peer(c->proc, a.to), &ev, &a.args, sizeof(a.args)) < 0)
			r = bh_wire_fail(&err, "busy", "try again", "the %s has not taken the requests before this one",
					 a.to == BH_SLOT_ROUTER ? "router" : "supervisor");
	}
	if (r < 0) {
		if (p)
			pending_free(p);
		answer_error(c, client, req->id, &err);
		return;
	}
	arm_deadline(c);
}

/* What a reload says is different: each line behind the first. */
static void
put_changes(struct bh_wire_out *o, const char *text)
{
	bh_wire_array(o, "changes");
	for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		char one[512];
		snprintf(one, sizeof(one), "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
		bh_wire_str(o, NULL, one);
	}
	bh_wire_close(o);
}

/* Lines "* NAME" or "  NAME". */
static void
put_profiles(struct bh_wire_out *o, const char *text)
{
	bh_wire_array(o, "profiles");
	for (const char *line = text; strlen(line) > 2; line += strcspn(line, "\n"), line += *line == '\n') {
		char name[128];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 2, "\n"), line + 2);
		bh_wire_map(o, NULL);
		bh_wire_str(o, "name", name);
		bh_wire_bool(o, "active", *line == '*');
		bh_wire_close(o);
	}
	bh_wire_close(o);
}

static void
on_result(struct control *c, uint16_t from, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct pending *p = NULL;
	for (unsigned i = 0; i < PENDING_MAX; i++)
		if (c->pending[i].used && c->pending[i].number == ev->total && c->pending[i].to == from)
			p = &c->pending[i];
	if (!p)
		return; /* it has been answered by "timed-out", or a predecessor asked */
	size_t room = RESULT_TEXT_MAX - p->text_len, n = len < room ? len : room;
	char *text = realloc(p->text, p->text_len + n + 1);
	if (text) {
		memcpy(text + p->text_len, payload, n);
		p->text = text;
		p->text_len += n;
		text[p->text_len] = '\0';
	}
	if (ev->id > 0)
		return; /* more of the text follows */
	const char *said = p->text ? p->text : "";
	bh_wire_out_reset(&c->out);
	bh_wire_begin_answer(&c->out, p->id, ev->v.i >= 0);
	if (ev->v.i < 0) {
		struct bh_wire_error err = {0};
		int e = ev->v.i > -4096 ? (int)-ev->v.i : EIO;
		bh_wire_fail(&err, control_code_of(p->verb, -e), NULL, "%.300s", *said ? said : strerror(e));
		bh_wire_put_error(&c->out, &err);
	}
	if (*said)
		bh_wire_str(&c->out, "text", said);
	if (p->verb == BH_VERB_PROFILE && ev->v.i == BH_RESULT_LIST)
		put_profiles(&c->out, said);
	else if (is_reload(p->verb) && ev->v.i >= 0)
		put_changes(&c->out, said);
	bh_wire_close(&c->out);
	send_out(c, &p->client);
	pending_free(p);
	arm_deadline(c);
}

/* ------------------------------------------------------------------ levels, which come only while somebody looks */

static void
ask_for_levels(struct control *c, struct bh_request_args *a, uint32_t *count)
{
	struct bh_peer *router = bh_proc_peer(c->proc, BH_SLOT_ROUTER);
	/* Nobody waits for the answer. */
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = BH_REQ_WATCH, .total = c->next_number++, .stamp_ns = bh_now_ns()};
	if (*count && router && router->has_out)
		bh_proc_send(c->proc, router, &ev, a, sizeof(*a));
	*count = a->text_len = 0;
}

/* Somebody asks for these: the router is told, as many in one request as it holds. */
static void
look_at_levels(struct control *c, const char *glob)
{
	static struct bh_dir_index index;
	struct bh_request_args a = {.type = BH_INT, .v.i = LEVELS_S};
	struct bh_dir_record rec;
	char full[BH_WIRE_NAME_MAX];
	for (uint16_t s = 0; s < BH_MAX_SLOTS; s++) {
		uint32_t count = 0;
		if (!c->view.slot[s].dir || s == BH_SLOT_ROUTER)
			continue;
		bh_dir_index(&index, c->view.slot[s].dir);
		a.slot = s;
		for (uint32_t i = 0; i < BH_MAX_PARAMS; i++) {
			if (bh_dir_find(&index, i, &rec) < 0 || !(rec.access & BH_ACCESS_METER))
				continue;
			bh_view_param_name(&c->view, s, &rec, full, sizeof(full));
			if (!bh_wire_glob(glob, full))
				continue;
			if (count++ == 0) {
				a.index = i;
			} else {
				memcpy(a.text + a.text_len, &i, sizeof(i));
				a.text_len += sizeof(i);
			}
			if (a.text_len + sizeof(i) > sizeof(a.text))
				ask_for_levels(c, &a, &count);
		}
		ask_for_levels(c, &a, &count);
	}
}

/* ------------------------------------------------------------------ requests */

static void
on_request(struct control *c, const struct endpoint_client *client, const uint8_t *data, size_t len, bool broken)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(3, 10000);
	struct bh_wire_request req = {0};
	struct bh_wire_error err = {0};
	int r = broken ? bh_wire_fail(&err, "bad-request", NULL, "a request is one frame")
		       : bh_wire_request_parse(&req, data, len, &err);
	bh_count(c->proc, BH_CNT_BYTES_IN, len);
	if (r < 0) {
		bh_count(c->proc, BH_CNT_PEER_FAULTS, 1);
		bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "a client sent what is no request: %s", err.text);
		answer_error(c, client, req.id, &err);
		return;
	}
	bh_count(c->proc, BH_CNT_USER0, 1);
	bh_wire_out_reset(&c->out);
	if (bh_view_answer(&c->view, &req, bh_now_ns(), &c->out) == -ENOTSUP)
		act(c, client, &req);
	else
		send_out(c, client);
	if (req.verb == BH_VERB_GET || req.verb == BH_VERB_PARAMS)
		look_at_levels(c, req.name);
}

/* Until there is nothing: a send may have swallowed the edge of a request that came meanwhile. */
static void
drain_requests(struct control *c)
{
	static uint8_t buf[BH_WIRE_REQUEST_MAX + 1];
	struct endpoint_client client;
	size_t len;
	int r, n = 0;
	refresh_view(c);
	while (n++ < REQUESTS_A_TURN && (r = endpoint_receive(&c->ep, &client, buf, sizeof(buf), &len)) != 0) {
		/* What is longer than the buffer is refused by its length. */
		if (len > sizeof(buf))
			len = sizeof(buf);
		on_request(c, &client, buf, len, r < 0);
	}
	c->more = n > REQUESTS_A_TURN;
	if (c->more)
		bh_timer_at(c->deadline, 1, 0);
}

static void
drain_subscriptions(struct control *c)
{
	const struct control_config *cfg = bh_proc_config(c->proc);
	refresh_view(c);
	bool watch = publisher_subscriptions(&c->pub, &c->view);
	if (watch != bh_timer_armed(c->look))
		bh_timer_at(c->look, watch ? bh_mono_ns() + cfg->event_interval * BH_NS_PER_MS : 0, cfg->event_interval * BH_NS_PER_MS);
}

static void
on_look(void *data)
{
	struct control *c = data;
	refresh_view(c);
	publisher_look(&c->pub, &c->view);
}

static void
on_requests_fd(void *data, int fd, uint32_t events)
{
	(void)fd, (void)events;
	drain_requests(data);
}

static void
on_events_fd(void *data, int fd, uint32_t events)
{
	(void)fd, (void)events;
	drain_subscriptions(data);
}

static void
control_before_sleep(struct bh_proc *proc, void *state)
{
	(void)proc;
	drain_requests(state);
	drain_subscriptions(state);
}

/* ------------------------------------------------------------------ what the others tell */

static void
control_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct control *c = state;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	while (peer->has_in && bh_proc_take(proc, peer, &ev, payload, &len) == 1) {
		uint16_t from = peer->slot;
		bh_proc_done(proc, peer, &ev);
		if (ev.kind == BH_EV_RESULT) {
			on_result(c, from, &ev, payload, len);
		} else if (ev.kind == BH_EV_MAIL && from == BH_SLOT_SUPERVISOR) {
			bh_proc_mail(proc);
			refresh_view(c);
		} else if (ev.kind == BH_EV_HEALTH && from == BH_SLOT_SUPERVISOR && ev.id < BH_MAX_SLOTS) {
			if (ev.v.i >= 0 && ev.v.i < BH_HEALTH_COUNT)
				proc->peer[ev.id].health = (uint32_t)ev.v.i;
			refresh_view(c);
			publisher_health(&c->pub, &c->view, (uint16_t)ev.id);
		}
	}
	/* Should a ring to us have cells: they hold nothing for us, and must not keep us awake. */
	uint64_t overflow;
	if (peer->has_in && bh_inbox_overflowed(&peer->in, &overflow))
		peer->in.overflow_seen = overflow;
}

static int
control_on_config(struct bh_proc *proc, void *state, const void *new_config, char *why, size_t cap)
{
	struct control *c = state;
	const struct control_config *cfg = new_config;
	(void)proc, (void)why, (void)cap;
	refresh_view(c);
	publisher_config(&c->pub, &c->view);
	if (bh_timer_armed(c->look))
		bh_timer_at(c->look, bh_mono_ns() + cfg->event_interval * BH_NS_PER_MS, cfg->event_interval * BH_NS_PER_MS);
	return 0;
}

/* ------------------------------------------------------------------ life */

static int
control_start(struct bh_proc *proc, void *state)
{
	struct control *c = state;
	char dir[256];
	c->proc = proc;
	bh_wire_out_init(&c->out);
	mallopt(M_ARENA_MAX, 1); /* ZeroMQ's threads need no heap of their own */
	/* Numbers that a predecessor's late answers do not meet. */
	c->next_number = (uint32_t)(bh_now_ns() >> 10);
	int r = bh_path_runtime(dir, sizeof(dir), NULL);
	if (r == 0)
		r = endpoint_open(&c->ep, dir);
	if (r < 0) {
		bh_proc_health(proc, r == -EACCES || r == -EPERM ? BH_HEALTH_NO_PERMISSION : BH_HEALTH_FAILED,
			       r == -ENAMETOOLONG ? "set BULKHEAD_RUNTIME_DIR to a folder with a shorter path" : NULL,
			       "cannot open its sockets: %s", strerror(-r));
		return r;
	}
	publisher_init(&c->pub, &c->ep);
	c->deadline = bh_timer_new(proc->loop, on_deadline, c);
	c->look = bh_timer_new(proc->loop, on_look, c);
	c->requests_watch = bh_loop_watch(proc->loop, endpoint_requests_fd(&c->ep), EPOLLIN, on_requests_fd, c);
	c->events_watch = bh_loop_watch(proc->loop, endpoint_events_fd(&c->ep), EPOLLIN, on_events_fd, c);
	if (!c->deadline || !c->look || !c->requests_watch || !c->events_watch)
		return -ENOMEM;
	refresh_view(c);
	return 0;
}

static void
control_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct control *c = state;
	(void)proc, (void)clean;
	bh_watch_free(c->requests_watch);
	bh_watch_free(c->events_watch);
	bh_timer_free(c->deadline);
	bh_timer_free(c->look);
	for (unsigned i = 0; i < PENDING_MAX; i++)
		pending_free(&c->pending[i]);
	publisher_fini(&c->pub);
	bh_wire_out_fini(&c->out);
	endpoint_close(&c->ep);
}

static void
control_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	char dir[256];
	(void)config;
	if (bh_path_runtime(dir, sizeof(dir), NULL) == 0)
		bh_sandbox_path(plan, BH_MAY_KEEP, dir);
}

static const struct bh_proc_ops control_ops = {
	.kind = "control",
	.role = BH_ROLE_CONTROL,
	.state_size = sizeof(struct control),
	.fields = control_fields,
	.config_size = sizeof(struct control_config),
	.sandbox = {.line = {{BH_MAY_UNIX, NULL, "tools speak to it by sockets"},
			     {BH_MAY_CREATE, NULL, "a socket is a new file; that of a predecessor is removed"},
			     {BH_MAY_THREADS, NULL, "libzmq has threads"},
			     {BH_MAY_KEEP, NULL, "the runtime folder: there its sockets are"},
			     {BH_MAY_FILES, "4096", "each tool is a connection"}},
		    .configured = control_sandbox},
	.start = control_start,
	.stop = control_stop,
	.drain = control_drain,
	.wants_supervisor = true,
	.on_config = control_on_config,
	.before_sleep = control_before_sleep,
};

int
main(int argc, char **argv)
{
	return bh_proc_main(argc, argv, &control_ops);
}

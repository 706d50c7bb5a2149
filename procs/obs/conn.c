/* conn.c - see conn.h */
#include "procs/obs/conn.h"

#include "common/units.h"

const char *
obs_conn_state_name(enum obs_conn_state state)
{
	switch (state) {
	case OBS_CONN_IDLE: return "idle";
	case OBS_CONN_WAITING: return "waiting";
	case OBS_CONN_CONNECTING: return "connecting";
	case OBS_CONN_IDENTIFYING: return "identifying";
	case OBS_CONN_LOADING: return "loading";
	case OBS_CONN_READY: return "ready";
	case OBS_CONN_REFUSED: return "refused";
	case OBS_CONN_KICKED: return "kicked";
	case OBS_CONN_STATES: break;
	}
	return "?";
}

const char *
obs_conn_event_name(enum obs_conn_event event)
{
	switch (event) {
	case OBS_CONN_START: return "start";
	case OBS_CONN_STOP: return "stop";
	case OBS_CONN_OPENED: return "opened";
	case OBS_CONN_IDENTIFIED: return "identified";
	case OBS_CONN_NO_PASSWORD: return "no password";
	case OBS_CONN_NOT_READY: return "not ready";
	case OBS_CONN_LOADED: return "loaded";
	case OBS_CONN_RELOAD: return "reload";
	case OBS_CONN_GARBLED: return "garbled";
	case OBS_CONN_PONG: return "pong";
	case OBS_CONN_TICK: return "tick";
	case OBS_CONN_NO_NAME: return "no name";
	case OBS_CONN_NO_ANSWER: return "no answer";
	case OBS_CONN_NOT_OBS: return "not OBS";
	case OBS_CONN_NO_TLS: return "no TLS";
	case OBS_CONN_LOST: return "lost";
	case OBS_CONN_BROKEN: return "broken";
	case OBS_CONN_SHUT: return "shut";
	case OBS_CONN_BAD_PASSWORD: return "bad password";
	case OBS_CONN_BAD_VERSION: return "bad version";
	case OBS_CONN_THROWN_OUT: return "thrown out";
	case OBS_CONN_OUR_FAULT: return "our fault";
	case OBS_CONN_EVENTS: break;
	}
	return "?";
}

/* clang-format off */
static const struct obs_conn_health told[OBS_CAUSES] = {
	[OBS_CAUSE_NONE] = {BH_HEALTH_OK, "", ""},
	[OBS_CAUSE_START] = {BH_HEALTH_CONNECTING, "connecting to OBS", ""},
	[OBS_CAUSE_LOADING] = {BH_HEALTH_CONNECTING, "reading what OBS has", ""},
	[OBS_CAUSE_RELOADING] = {BH_HEALTH_DEGRADED, "OBS has changed, and is read anew", ""},
	[OBS_CAUSE_NOT_READY] = {BH_HEALTH_CONNECTING, "OBS is starting, or changing its collection", "it is asked again twice a second"},
	[OBS_CAUSE_NO_NAME] = {BH_HEALTH_CONNECTING, "the name of OBS's machine is not known", "correct `host` of driver NAME, or the name service"},
	[OBS_CAUSE_NO_ANSWER] = {BH_HEALTH_CONNECTING, "OBS does not answer", "start OBS, and its server: Tools > WebSocket Server Settings"},
	[OBS_CAUSE_NOT_OBS] = {BH_HEALTH_BAD_CONFIG, "what answers is no obs-websocket 5",
			       "set `port` of NAME as in OBS 28 or newer: Tools > WebSocket Server Settings"},
	[OBS_CAUSE_NO_TLS] = {BH_HEALTH_BAD_CONFIG, "TLS fails", "OBS has no TLS: leave `tls` out, or look at the certificate of its proxy"},
	[OBS_CAUSE_LOST] = {BH_HEALTH_CONNECTING, "the connection to OBS is lost", "it is tried again twice a second"},
	[OBS_CAUSE_SHUT] = {BH_HEALTH_CONNECTING, "OBS has stopped its server", "start it in OBS: Tools > WebSocket Server Settings"},
	[OBS_CAUSE_DEAD] = {BH_HEALTH_CONNECTING, "OBS has stopped answering", "it hangs, or the network is cut; it is tried again twice a second"},
	[OBS_CAUSE_MUTE] = {BH_HEALTH_CONNECTING, "what answers says no Hello", "is it OBS? See `host` and `port` of driver NAME"},
	[OBS_CAUSE_SLOW] = {BH_HEALTH_CONNECTING, "OBS did not tell what it has in 15 s", "is it overloaded? It is asked again"},
	[OBS_CAUSE_BROKEN] = {BH_HEALTH_CONNECTING, "what OBS sends cannot be understood", "is it OBS? It is tried again every 5 s; its log may say more"},
	[OBS_CAUSE_OUR_FAULT] = {BH_HEALTH_CONNECTING, "OBS does not accept what we send", "please report it, with the log; it is tried again every 5 s"},
	[OBS_CAUSE_PASSWORD] = {BH_HEALTH_AUTH_FAILED, "OBS refuses the password",
				"set `password` of NAME as in OBS: Tools > WebSocket Server Settings"},
	[OBS_CAUSE_NO_PASSWORD] = {BH_HEALTH_AUTH_FAILED, "OBS asks for a password",
				   "set `password` of NAME as in OBS: Tools > WebSocket Server Settings"},
	[OBS_CAUSE_VERSION] = {BH_HEALTH_BAD_CONFIG, "OBS speaks another version of its protocol", "obs-websocket 5 is needed: OBS 28 or newer"},
	[OBS_CAUSE_KICKED] = {BH_HEALTH_CONNECTING, "somebody has disconnected us in OBS", "tried again in 30 s; at once: `bulkhead restart NAME`"},
};

/* By event, for the ends of a connection; `to` IDLE: the event is none. */
static const struct end {
	enum obs_conn_state to;
	enum obs_conn_cause cause;
	uint32_t wait_ms; /* 0 = as a lost connection */
	bool close;	  /* it still stands */
} ends[OBS_CONN_EVENTS] = {
	[OBS_CONN_NO_NAME] = {OBS_CONN_WAITING, OBS_CAUSE_NO_NAME, OBS_CONN_WAIT_LONG_MS, false},
	[OBS_CONN_NO_ANSWER] = {OBS_CONN_WAITING, OBS_CAUSE_NO_ANSWER, 0, false},
	[OBS_CONN_NOT_OBS] = {OBS_CONN_WAITING, OBS_CAUSE_NOT_OBS, OBS_CONN_WAIT_LONG_MS, false},
	[OBS_CONN_NO_TLS] = {OBS_CONN_WAITING, OBS_CAUSE_NO_TLS, OBS_CONN_WAIT_LONG_MS, false},
	[OBS_CONN_LOST] = {OBS_CONN_WAITING, OBS_CAUSE_LOST, 0, false},
	[OBS_CONN_BROKEN] = {OBS_CONN_WAITING, OBS_CAUSE_BROKEN, OBS_CONN_WAIT_LONG_MS, false},
	[OBS_CONN_SHUT] = {OBS_CONN_WAITING, OBS_CAUSE_SHUT, 0, false},
	[OBS_CONN_OUR_FAULT] = {OBS_CONN_WAITING, OBS_CAUSE_OUR_FAULT, OBS_CONN_WAIT_LONG_MS, false},
	[OBS_CONN_GARBLED] = {OBS_CONN_WAITING, OBS_CAUSE_BROKEN, OBS_CONN_WAIT_LONG_MS, true},
	[OBS_CONN_BAD_PASSWORD] = {OBS_CONN_REFUSED, OBS_CAUSE_PASSWORD, OBS_CONN_WAIT_PERSON_MS, false},
	[OBS_CONN_NO_PASSWORD] = {OBS_CONN_REFUSED, OBS_CAUSE_NO_PASSWORD, OBS_CONN_WAIT_PERSON_MS, true},
	[OBS_CONN_BAD_VERSION] = {OBS_CONN_REFUSED, OBS_CAUSE_VERSION, OBS_CONN_WAIT_PERSON_MS, false},
	[OBS_CONN_THROWN_OUT] = {OBS_CONN_KICKED, OBS_CAUSE_KICKED, OBS_CONN_WAIT_PERSON_MS, false},
};
/* clang-format on */

static const struct end dead = {OBS_CONN_WAITING, OBS_CAUSE_DEAD, 0, true};
static const struct end mute = {OBS_CONN_WAITING, OBS_CAUSE_MUTE, OBS_CONN_WAIT_LONG_MS, true};
static const struct end slow = {OBS_CONN_WAITING, OBS_CAUSE_SLOW, 0, true};

const struct obs_conn_health *
obs_conn_health(const struct obs_conn *c)
{
	return &told[c->cause];
}

enum obs_conn_event
obs_conn_end(enum obs_ws_end end, int code)
{
	switch (end) {
	case OBS_WS_NO_NAME: return OBS_CONN_NO_NAME;
	case OBS_WS_NO_ANSWER: return OBS_CONN_NO_ANSWER;
	case OBS_WS_NOT_OBS: return OBS_CONN_NOT_OBS;
	case OBS_WS_NO_TLS: return OBS_CONN_NO_TLS;
	case OBS_WS_LOST: return OBS_CONN_LOST;
	case OBS_WS_BROKEN: return OBS_CONN_BROKEN;
	case OBS_WS_CLOSED: break;
	}
	switch (code) {
	case 1000:
	case 1001: return OBS_CONN_SHUT;
	case 4009: return OBS_CONN_BAD_PASSWORD;
	case 4010: return OBS_CONN_BAD_VERSION;
	case 4011: return OBS_CONN_THROWN_OUT;
	default: return code >= 4000 && code <= 4999 ? OBS_CONN_OUR_FAULT : OBS_CONN_LOST;
	}
}

void
obs_conn_keepalive(struct obs_conn *c, uint32_t keepalive_ms)
{
	/* A ping just before the peer dies, and three that nobody answers: four periods. */
	c->period_ms = keepalive_ms / (OBS_CONN_MISSES + 1);
}

void
obs_conn_init(struct obs_conn *c, uint32_t keepalive_ms, uint32_t seed)
{
	*c = (struct obs_conn){.cause = OBS_CAUSE_START, .chance = seed | 1};
	obs_conn_keepalive(c, keepalive_ms);
}

static bool
is_open(const struct obs_conn *c)
{
	return c->state == OBS_CONN_CONNECTING || c->state == OBS_CONN_IDENTIFYING || c->state == OBS_CONN_LOADING ||
	       c->state == OBS_CONN_READY;
}

static void
enter(struct obs_conn *c, enum obs_conn_state state, uint32_t limit_ms, uint64_t now_ns)
{
	c->state = state;
	c->since_ns = now_ns;
	c->until_ns = limit_ms ? now_ns + limit_ms * BH_NS_PER_MS : 0;
	c->again_ns = 0;
}

static unsigned
tell(struct obs_conn *c, enum obs_conn_cause cause)
{
	bool news = c->cause != cause;
	c->cause = cause;
	return news ? OBS_CONN_DO_TELL : 0;
}

/* Between half of it and all of it. */
static uint32_t
jittered(struct obs_conn *c, uint32_t wait_ms)
{
	c->chance ^= c->chance << 13;
	c->chance ^= c->chance >> 17;
	c->chance ^= c->chance << 5;
	return wait_ms - c->chance % (wait_ms / 2 + 1);
}

static uint32_t
next_wait(struct obs_conn *c)
{
	uint32_t wait = c->tries < 3 ? OBS_CONN_WAIT_MIN_MS << c->tries : OBS_CONN_WAIT_MAX_MS;
	c->tries++;
	return wait;
}

static unsigned
leave(struct obs_conn *c, const struct end *end, uint64_t now_ns)
{
	if (c->state == OBS_CONN_READY && now_ns - c->since_ns >= OBS_CONN_STEADY_MS * BH_NS_PER_MS)
		c->tries = 0;
	uint32_t wait = end->wait_ms ? end->wait_ms : next_wait(c);
	enter(c, end->to, end->to == OBS_CONN_WAITING ? jittered(c, wait) : wait, now_ns);
	c->ping_ns = 0;
	return tell(c, end->cause) | (end->close ? OBS_CONN_DO_CLOSE : 0);
}

static unsigned
connect_now(struct obs_conn *c, uint64_t now_ns)
{
	enter(c, OBS_CONN_CONNECTING, 0, now_ns);
	c->ping_ns = 0;
	return OBS_CONN_DO_OPEN;
}

static unsigned
load(struct obs_conn *c, bool reloading, uint64_t now_ns)
{
	c->reloading = reloading;
	enter(c, OBS_CONN_LOADING, OBS_CONN_LOAD_MS, now_ns);
	return OBS_CONN_DO_LOAD;
}

static unsigned
ping(struct obs_conn *c, uint64_t now_ns)
{
	if (!c->ping_ns || now_ns < c->ping_ns)
		return 0;
	/* Our own periods are counted, not time: while we did not run, no pong was read. */
	if (c->unanswered >= OBS_CONN_MISSES)
		return leave(c, &dead, now_ns);
	c->unanswered++;
	c->ping_ns = now_ns + c->period_ms * BH_NS_PER_MS;
	return OBS_CONN_DO_PING;
}

static enum obs_conn_cause
loading(const struct obs_conn *c)
{
	return c->reloading ? OBS_CAUSE_RELOADING : OBS_CAUSE_LOADING;
}

static unsigned
tick_loading(struct obs_conn *c, uint64_t now_ns)
{
	if (c->again_ns)
		return now_ns >= c->again_ns ? load(c, c->reloading, now_ns) : 0;
	if (now_ns >= c->until_ns)
		return leave(c, &slow, now_ns);
	if (c->cause != OBS_CAUSE_NOT_READY && now_ns - c->since_ns >= OBS_CONN_TELL_LOADING_MS * BH_NS_PER_MS)
		return tell(c, loading(c));
	return 0;
}

static unsigned
tick(struct obs_conn *c, uint64_t now_ns)
{
	unsigned todo, more;
	switch (c->state) {
	case OBS_CONN_WAITING:
	case OBS_CONN_REFUSED:
	case OBS_CONN_KICKED: return now_ns >= c->until_ns ? connect_now(c, now_ns) : 0;
	case OBS_CONN_IDENTIFYING:
		if (now_ns >= c->until_ns)
			return leave(c, &mute, now_ns);
		return ping(c, now_ns);
	case OBS_CONN_LOADING:
		todo = ping(c, now_ns);
		more = c->state == OBS_CONN_LOADING ? tick_loading(c, now_ns) : 0;
		return c->state == OBS_CONN_LOADING ? todo | more : more ? more : todo;
	case OBS_CONN_READY: return ping(c, now_ns);
	case OBS_CONN_IDLE:
	case OBS_CONN_CONNECTING:
	case OBS_CONN_STATES: break;
	}
	return 0;
}

static unsigned
start(struct obs_conn *c, uint64_t now_ns)
{
	unsigned todo = is_open(c) ? OBS_CONN_DO_CLOSE : 0;
	c->tries = 0;
	return todo | connect_now(c, now_ns) | tell(c, OBS_CAUSE_START);
}

static unsigned
stop(struct obs_conn *c, uint64_t now_ns)
{
	unsigned todo = is_open(c) ? OBS_CONN_DO_CLOSE : 0;
	enter(c, OBS_CONN_IDLE, 0, now_ns);
	c->ping_ns = 0;
	return todo;
}

static unsigned
opened(struct obs_conn *c, uint64_t now_ns)
{
	if (c->state != OBS_CONN_CONNECTING)
		return 0;
	enter(c, OBS_CONN_IDENTIFYING, OBS_CONN_HELLO_MS, now_ns);
	c->unanswered = 0;
	c->ping_ns = c->period_ms ? now_ns + c->period_ms * BH_NS_PER_MS : 0;
	return 0;
}

static unsigned
loaded(struct obs_conn *c, uint64_t now_ns)
{
	if (c->state != OBS_CONN_LOADING)
		return 0;
	enter(c, OBS_CONN_READY, 0, now_ns);
	return tell(c, OBS_CAUSE_NONE);
}

static unsigned
not_ready(struct obs_conn *c, uint64_t now_ns)
{
	if (c->state != OBS_CONN_LOADING)
		return 0;
	c->again_ns = now_ns + OBS_CONN_AGAIN_MS * BH_NS_PER_MS;
	return tell(c, OBS_CAUSE_NOT_READY);
}

static unsigned
reload(struct obs_conn *c, uint64_t now_ns)
{
	if (c->state == OBS_CONN_READY)
		return load(c, true, now_ns);
	return c->state == OBS_CONN_LOADING ? load(c, c->reloading, now_ns) : 0;
}

unsigned
obs_conn_step(struct obs_conn *c, enum obs_conn_event event, uint64_t now_ns)
{
	switch (event) {
	case OBS_CONN_START: return start(c, now_ns);
	case OBS_CONN_STOP: return stop(c, now_ns);
	case OBS_CONN_OPENED: return opened(c, now_ns);
	case OBS_CONN_IDENTIFIED: return c->state == OBS_CONN_IDENTIFYING ? load(c, false, now_ns) : 0;
	case OBS_CONN_NO_PASSWORD: return c->state == OBS_CONN_IDENTIFYING ? leave(c, &ends[event], now_ns) : 0;
	case OBS_CONN_NOT_READY: return not_ready(c, now_ns);
	case OBS_CONN_LOADED: return loaded(c, now_ns);
	case OBS_CONN_RELOAD: return reload(c, now_ns);
	case OBS_CONN_PONG: c->unanswered = 0; return 0;
	case OBS_CONN_TICK: return tick(c, now_ns);
	case OBS_CONN_GARBLED:
	case OBS_CONN_NO_NAME:
	case OBS_CONN_NO_ANSWER:
	case OBS_CONN_NOT_OBS:
	case OBS_CONN_NO_TLS:
	case OBS_CONN_LOST:
	case OBS_CONN_BROKEN:
	case OBS_CONN_SHUT:
	case OBS_CONN_BAD_PASSWORD:
	case OBS_CONN_BAD_VERSION:
	case OBS_CONN_THROWN_OUT:
	case OBS_CONN_OUR_FAULT: return is_open(c) ? leave(c, &ends[event], now_ns) : 0;
	case OBS_CONN_EVENTS: break;
	}
	return 0;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

uint64_t
obs_conn_deadline(const struct obs_conn *c)
{
	uint64_t at = sooner(c->until_ns, c->ping_ns);
	if (c->state != OBS_CONN_LOADING)
		return at;
	if (c->again_ns)
		return sooner(c->again_ns, c->ping_ns);
	if (c->cause != OBS_CAUSE_NOT_READY && c->cause != loading(c))
		at = sooner(at, c->since_ns + OBS_CONN_TELL_LOADING_MS * BH_NS_PER_MS);
	return at;
}

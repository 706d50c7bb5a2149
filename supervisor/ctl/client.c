/* client.c - see client.h */
#include "supervisor/ctl/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "supervisor/ctl/output.h"

#define READ_MS 1000	 /* each of two tries */
#define ACT_MS 2500	 /* a little longer than bh-control waits, so that its own words arrive */
#define RELOAD_MS 15500
#define COME_BACK_MS 2000 /* how long an act waits for bh-control to be there */
#define PATIENCE_MAX 100  /* times these, at most */

/* On a machine that is slow or busy people may wait for longer: by BULKHEAD_PATIENCE, so many times as long. */
static int
patient(int ms)
{
	const char *s = getenv("BULKHEAD_PATIENCE");
	long times = s ? strtol(s, NULL, 10) : 1;
	return ms * (int)(times < 1 ? 1 : times > PATIENCE_MAX ? PATIENCE_MAX : times);
}

/* Does anybody listen there? ZeroMQ itself would wait for it silently. */
static bool
is_listening(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || strlen(path) >= sizeof(sa.sun_path))
		return false;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN;
}

/* Wait until somebody listens: 0 or -ETIMEDOUT. */
static int
wait_listening(const char *path, int ms)
{
	uint64_t until = bh_mono_ns() + (uint64_t)ms * BH_NS_PER_MS;
	while (!is_listening(path)) {
		if (bh_mono_ns() >= until)
			return -ETIMEDOUT;
		usleep(20000);
	}
	return 0;
}

/* One answer with the right id within `ms`: 0 and the bytes (owned by the caller), or -errno. */
static int
await_answer(void *socket, uint64_t id, int ms, struct ctl_answer *a)
{
	uint64_t until = bh_mono_ns() + (uint64_t)ms * BH_NS_PER_MS;
	for (;;) {
		uint64_t now = bh_mono_ns();
		int left = until > now ? (int)((until - now) / BH_NS_PER_MS) + 1 : 0;
		zmq_msg_t msg;
		if (left == 0 || zmq_setsockopt(socket, ZMQ_RCVTIMEO, &left, sizeof(left)) < 0)
			return -ETIMEDOUT;
		zmq_msg_init(&msg);
		int n = zmq_msg_recv(&msg, socket, 0);
		if (n < 0) {
			int e = errno;
			zmq_msg_close(&msg);
			if (e == EINTR)
				continue;
			return e == EAGAIN ? -ETIMEDOUT : -e;
		}
		a->data = malloc((size_t)n + 1);
		if (a->data)
			memcpy(a->data, zmq_msg_data(&msg), (size_t)n);
		zmq_msg_close(&msg);
		if (!a->data)
			return -ENOMEM;
		if (bh_wire_in_init(&a->in, a->data, (size_t)n, BH_WIRE_ANSWER_MAX, NULL) == 0 &&
		    bh_wire_get_int(a->in.root, "id", 0) == (int64_t)id)
			return 0;
		ctl_answer_fini(a);
	}
}

/* Send one request over a connection of its own and wait. */
static int
exchange(const char *path, const struct bh_wire_out *o, uint64_t id, int ms, struct ctl_answer *a)
{
	char where[160];
	int linger = 0, hwm = 16;
	int64_t max = BH_WIRE_ANSWER_MAX;
	void *ctx = zmq_ctx_new(), *s = ctx ? zmq_socket(ctx, ZMQ_DEALER) : NULL;
	int r = s ? 0 : -errno;
	if (s) {
		zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof(linger));
		zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof(hwm));
		zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof(hwm));
		zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &max, sizeof(max));
		snprintf(where, sizeof(where), "ipc://%s", path);
		if (zmq_connect(s, where) < 0 || zmq_send(s, o->data, o->len, ZMQ_DONTWAIT) < 0)
			r = -errno;
		else
			r = await_answer(s, id, ms, a);
		zmq_close(s);
	}
	if (ctx)
		zmq_ctx_term(ctx);
	return r;
}

static int
control_path(char *path, size_t cap)
{
	return bh_path_runtime(path, cap, "control.sock");
}

bool
ctl_wait_control(int ms)
{
	char path[256];
	return control_path(path, sizeof(path)) == 0 && wait_listening(path, ms) == 0;
}

static uint64_t
next_id(void)
{
	static uint64_t id;
	return ++id;
}

uint64_t
ctl_begin(struct bh_wire_out *o, enum bh_wire_verb verb)
{
	uint64_t id = next_id();
	bh_wire_out_init(o);
	bh_wire_map(o, NULL);
	bh_wire_uint(o, "v", BH_WIRE_VERSION);
	bh_wire_uint(o, "id", id);
	bh_wire_str(o, "verb", bh_wire_verbs[verb].name);
	return id;
}

void
ctl_answer_fini(struct ctl_answer *a)
{
	bh_wire_in_fini(&a->in);
	free(a->data);
	memset(a, 0, sizeof(*a));
	msgpack_unpacked_init(&a->in.u);
}

/* Of an answer that came: its content, or its error shown. */
static int
judge(struct ctl *ctl, struct ctl_answer *a)
{
	struct bh_wire_error err = {0};
	char code[32];
	a->root = a->in.root;
	a->ok = bh_wire_get_bool(a->root, "ok", false);
	if (a->ok)
		return CTL_OK;
	const msgpack_object *e = bh_wire_get(a->root, "error");
	bh_wire_get_str(e, "code", code, sizeof(code));
	bh_wire_get_str(e, "text", err.text, sizeof(err.text));
	bh_wire_get_str(e, "hint", err.hint, sizeof(err.hint));
	/* The errors of a configuration are longer than one line. */
	const msgpack_object *whole = bh_wire_get(a->root, "text");
	if (whole && whole->type == MSGPACK_OBJECT_STR && whole->via.str.size > strlen(err.text) && !ctl->json)
		fprintf(stderr, "%.*s\n", (int)whole->via.str.size, whole->via.str.ptr);
	err.code = *code ? code : "failed";
	return ctl_show_error(ctl, &err);
}

static int
not_running(struct ctl *ctl)
{
	char dir[256] = "?";
	bh_path_runtime(dir, sizeof(dir), NULL);
	return ctl_error(ctl, "not-running", "`bulkhead run` starts it; --runtime DIR names another folder",
			 "Bulkhead is not running (looked in %s)", dir);
}

int
ctl_look(struct ctl *ctl, struct direct *d)
{
	return ctl_look_at(ctl, d, false);
}

int
ctl_look_at(struct ctl *ctl, struct direct *d, bool outboxes)
{
	int r = direct_open(d, outboxes);
	if (r == -ESRCH)
		return not_running(ctl);
	return r < 0 ? ctl_error(ctl, "refused", "it runs as another user", "cannot read its memory: %s", strerror(-r)) : CTL_OK;
}

/* bh-control does not answer: the same answer out of shared memory. */
static int
read_directly(struct ctl *ctl, enum bh_wire_verb verb, const char *arg, struct ctl_answer *a)
{
	static struct direct d;
	struct bh_wire_request req = {.id = next_id(), .verb = verb};
	struct bh_wire_out out;
	int r = ctl_look(ctl, &d);
	if (r != CTL_OK)
		return r;
	snprintf(req.name, sizeof(req.name), "%s", arg ? arg : "");
	bh_wire_out_init(&out);
	bh_view_answer(&d.view, &req, bh_now_ns(), &out);
	direct_close(&d);
	a->data = out.data; /* handed over */
	if (out.failed || bh_wire_in_init(&a->in, out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) < 0)
		return ctl_error(ctl, "failed", NULL, "the answer could not be made");
	return judge(ctl, a);
}

int
ctl_read(struct ctl *ctl, enum bh_wire_verb verb, const char *arg, struct ctl_answer *a)
{
	char path[256];
	memset(a, 0, sizeof(*a));
	msgpack_unpacked_init(&a->in.u);
	if (arg && strlen(arg) >= BH_WIRE_NAME_MAX)
		return ctl_error(ctl, "bad-value", NULL, "\"%.40s...\" is too long for a name", arg);
	int r = control_path(path, sizeof(path));
	for (int tries = 0; r == 0 && tries < 2 && is_listening(path); tries++) {
		struct bh_wire_out o;
		uint64_t id = ctl_begin(&o, verb);
		if (arg && bh_wire_verbs[verb].arg)
			bh_wire_str(&o, bh_wire_verbs[verb].arg, arg);
		bh_wire_close(&o);
		int e = exchange(path, &o, id, patient(READ_MS), a);
		bh_wire_out_fini(&o);
		if (e == 0)
			return judge(ctl, a);
	}
	return read_directly(ctl, verb, arg, a);
}

int
ctl_ask(struct ctl *ctl, struct bh_wire_out *o, uint64_t id, enum bh_wire_verb verb, struct ctl_answer *a)
{
	pid_t keeper, supervisor;
	char path[256];
	int code;
	memset(a, 0, sizeof(*a));
	msgpack_unpacked_init(&a->in.u);
	bh_wire_close(o);
	if (o->failed || o->len > BH_WIRE_REQUEST_MAX) {
		code = ctl_error(ctl, "bad-value", NULL, "the arguments are too long");
		goto out;
	}
	int r = control_path(path, sizeof(path));
	if (r == 0 && !is_listening(path) && !direct_pids(&keeper, &supervisor)) {
		code = not_running(ctl);
		goto out;
	}
	if (r == 0)
		r = wait_listening(path, patient(COME_BACK_MS));
	if (r < 0) {
		code = ctl_error(ctl, "timed-out", "`bulkhead status control` tells why; nothing was done",
				 "bh-control is not there");
		goto out;
	}
	r = exchange(path, o, id, patient(verb == BH_VERB_RELOAD || verb == BH_VERB_PROFILE || verb == BH_VERB_RESTART ? RELOAD_MS : ACT_MS), a);
	if (r < 0) {
		code = ctl_error(ctl, "timed-out", "whether it was done is not known: look before you try again",
				 "bh-control does not answer (%s)", strerror(-r));
		goto out;
	}
	code = judge(ctl, a);
out:
	bh_wire_out_fini(o);
	return code;
}

int
ctl_act(struct ctl *ctl, struct bh_wire_out *o, uint64_t id, enum bh_wire_verb verb)
{
	struct ctl_answer a;
	int code = ctl_ask(ctl, o, id, verb, &a);
	if (code == CTL_OK)
		ctl->out->done(stdout, a.root);
	ctl_answer_fini(&a);
	return code;
}

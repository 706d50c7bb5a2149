/*
 * watch.c - see watch.h
 *
 * Twenty looks a second at memory that others write: nobody in the pipeline notices, and the tool needs no wake-up from
 * them. Segments are looked for anew when the process table changes, for a successor may have been given fresh ones.
 */
#include "supervisor/ctl/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/units.h"
#include "supervisor/ctl/describe.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/tail.h"

#define LOOK_NS 50000000L
#define BATCH_MAX 4096u

static volatile sig_atomic_t ended;

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}


struct watcher {
	struct direct d;
	struct tail tail[DIRECT_OUTBOXES];
	bool used[DIRECT_OUTBOXES];
	uint64_t generation;
	struct ctl_seen *batch; /* owned */
	size_t n;
};

uint8_t
ctl_role(const struct bh_view *v, uint16_t slot)
{
	struct bh_proc_body b;
	return bh_view_proc(v, slot, &b) ? b.role : BH_ROLE_NONE;
}

static uint64_t
table_generation(const struct direct *d)
{
	const struct bh_table_head *h = bh_seg_section(&d->table, BH_SEC_TABLE, sizeof(*h), NULL);
	return h ? __atomic_load_n(&h->generation, __ATOMIC_ACQUIRE) : 0;
}

/* Where an earlier tail of the same ring stood, so that looking for segments anew repeats and misses nothing. */
static bool
go_on(const struct watcher *old, const struct bh_seg *ring, struct tail *t)
{
	for (unsigned i = 0; old && i < old->d.outboxes; i++) {
		const struct bh_seg *o = &old->d.outbox[i];
		if (old->used[i] && o->head.writer == ring->head.writer && o->head.peer == ring->head.peer &&
		    o->head.epoch == ring->head.epoch) {
			t->pos = old->tail[i].pos;
			return true;
		}
	}
	return false;
}

static int
attach(struct watcher *w, const struct watcher *old, ctl_ring_fn ring, int only, long last)
{
	int r = direct_open(&w->d, true);
	if (r < 0)
		return r;
	w->generation = table_generation(&w->d);
	for (unsigned i = 0; i < w->d.outboxes; i++) {
		const struct bh_seg *seg = &w->d.outbox[i];
		if (!ring(&w->d.view, seg->head.writer, seg->head.peer, only))
			continue;
		/* A ring that is new to us is told from its beginning. */
		long back = old ? (long)UINT32_MAX : last;
		w->used[i] = tail_init(&w->tail[i], seg, back > 0 ? (uint32_t)back : 0) == 0;
		if (w->used[i])
			go_on(old, seg, &w->tail[i]);
	}
	return 0;
}

/* A stamp is handed on with what follows from it: of equal ones the cause comes first. */
static uint8_t
rank_of(const struct bh_view *v, uint16_t from)
{
	uint8_t role = ctl_role(v, from);
	return role == BH_ROLE_DRIVER ? 2 : role == BH_ROLE_ROUTER ? 1 : 0;
}

static int
by_stamp(const void *a, const void *b)
{
	const struct ctl_seen *x = a, *y = b;
	if (x->ev.stamp_ns != y->ev.stamp_ns)
		return x->ev.stamp_ns < y->ev.stamp_ns ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->from != y->from ? (x->from < y->from ? -1 : 1) : x->ev.seq < y->ev.seq ? -1 : x->ev.seq > y->ev.seq;
}

static void
collect(struct watcher *w, ctl_event_fn event, int only)
{
	w->n = 0;
	for (unsigned i = 0; i < w->d.outboxes; i++) {
		struct ctl_seen *e;
		uint8_t rank = w->used[i] ? rank_of(&w->d.view, w->d.outbox[i].head.writer) : 0;
		while (w->used[i] && w->n < BATCH_MAX) {
			e = &w->batch[w->n];
			if (!tail_next(&w->tail[i], &e->ev, e->payload, &e->len))
				break;
			e->from = w->d.outbox[i].head.writer;
			e->to = w->d.outbox[i].head.peer;
			e->rank = rank;
			w->n += event(&e->ev, only);
		}
		if (w->tail[i].missed) {
			fprintf(stderr, "bulkhead: missed %llu slots of %s\n", (unsigned long long)w->tail[i].missed,
				w->d.outbox[i].head.name);
			w->tail[i].missed = 0;
		}
	}
	qsort(w->batch, w->n, sizeof(*w->batch), by_stamp);
}

static bool
tell_batch(struct watcher *w, size_t from, ctl_tell_fn tell, void *data)
{
	for (size_t i = from; i < w->n && !ended; i++)
		if (tell(data, &w->d.view, &w->batch[i]))
			return true;
	return false;
}

int
ctl_follow(struct ctl *ctl, const char *name, const struct ctl_follow *f)
{
	struct sigaction sa = {.sa_handler = on_end};
	struct watcher *w = calloc(1, sizeof(*w));
	struct bh_wire_error err = {0};
	int only = -1, code = CTL_OK;
	long last = f->last;
	uint64_t until = f->timeout_ms ? bh_mono_ns() + f->timeout_ms * BH_NS_PER_MS : UINT64_MAX;
	int r = w ? direct_open(&w->d, false) : -ENOMEM;
	if (r == 0 && name) {
		only = bh_view_find_proc(&w->d.view, name, &err);
		if (only < 0)
			code = ctl_show_error(ctl, &err);
		direct_close(&w->d);
	}
	if (r == 0 && code == CTL_OK) {
		direct_close(&w->d);
		r = attach(w, NULL, f->ring, only, last);
	}
	if (r < 0 && code == CTL_OK)
		code = ctl_error(ctl, r == -ESRCH ? "not-running" : "refused", "`bulkhead run` starts it",
				 r == -ESRCH ? "Bulkhead is not running" : "cannot read its memory: %s", strerror(-r));
	if (r == 0 && code == CTL_OK) {
		w->batch = calloc(BATCH_MAX, sizeof(*w->batch));
		code = w->batch ? CTL_OK : CTL_FAILED;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGPIPE, &sa, NULL);
	bool first = true;
	if (r == 0 && code == CTL_OK && f->ready)
		f->ready(f->data);
	while (r == 0 && code == CTL_OK && !ended) {
		collect(w, f->event, only);
		/* The last N of all rings together, not of each. */
		bool enough = tell_batch(w, first && last > 0 && w->n > (size_t)last ? w->n - (size_t)last : 0, f->tell, f->data);
		first = false;
		if (enough || ctl->once || bh_mono_ns() >= until)
			break;
		nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
		pid_t keeper, supervisor;
		if (table_generation(&w->d) == w->generation && direct_pids(&keeper, &supervisor))
			continue;
		struct watcher *next = calloc(1, sizeof(*next));
		if (next && attach(next, w, f->ring, only, 0) == 0) {
			next->batch = w->batch;
			direct_close(&w->d);
			free(w);
			w = next;
		} else {
			free(next);
			if (!direct_pids(&keeper, &supervisor)) {
				ctl_error(ctl, "not-running", NULL, "Bulkhead has ended");
				code = CTL_NOT_RUNNING;
			}
		}
	}
	if (w) {
		direct_close(&w->d);
		free(w->batch);
	}
	free(w);
	return code;
}

struct shown {
	void (*show)(FILE *out, const msgpack_object *event);
};

static bool
show_event(void *data, const struct bh_view *v, const struct ctl_seen *e)
{
	static struct bh_wire_out out;
	const struct shown *s = data;
	struct bh_wire_in in;
	bh_wire_out_init(&out);
	ctl_describe(v, e->from, e->to, &e->ev, e->payload, e->len, &out);
	if (!out.failed && bh_wire_in_init(&in, out.data, out.len, BH_WIRE_ANSWER_MAX, NULL) == 0) {
		s->show(stdout, in.root);
		bh_wire_in_fini(&in);
	}
	bh_wire_out_fini(&out);
	return ferror(stdout); /* whoever read it has left */
}

int
ctl_watch(struct ctl *ctl, const char *name, long last, ctl_ring_fn ring, ctl_event_fn event,
	  void (*show)(FILE *out, const msgpack_object *event))
{
	struct shown s = {show};
	const struct ctl_follow f = {.last = last, .ring = ring, .event = event, .tell = show_event, .data = &s};
	return ctl_follow(ctl, name, &f);
}

/*
 * store - what the room was like, on disk
 *
 * In:    the router's state (mapped read-only), a note from the router that it changed
 * Out:   snapshots (snapshot.h); at a cold start, requests to the router to restore each value, stale until confirmed
 * Fails: a snapshot that cannot be written leaves the last one as it is, makes us DEGRADED with the reason, and is tried again
 *        with the next change or after a while. A damaged snapshot is passed over for the generation before, and we say so.
 *        Nothing here is waited for by anybody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/proc.h"
#include "common/records.h"
#include "common/request.h"
#include "common/units.h"
#include "procs/store/snapshot.h"
#include "shm/words.h"

BH_LOG_TOPIC("store");

#define RETRY_WRITE_MS 5000
#define DISK_MS 60000 /* a disk that is asleep or overloaded takes that long to hold a snapshot */
#define RESTORE_WINDOW 12	/* requests that may be unanswered: the answers and a hint fit the 16 slots of our inbox */
#define RESTORE_GIVE_UP_MS 60000
#define RESTORE_RETRY_MS 250

#define CNT_WRITTEN BH_CNT_USER0
#define CNT_FAILED BH_CNT_USER1
#define CNT_RESTORED BH_CNT_USER2 /* 1 = the room was restored (or there was none) in this life of the pipeline */

struct store_config {
	char *dir;
	uint32_t delay_ms;
};

static const struct bh_cfg_field store_fields[] = {
	BH_CFG(struct store_config, dir, .type = BH_CFG_PATH, .def = "",
	       .help = "folder of the snapshots; empty = the state folder of the user"),
	BH_CFG(struct store_config, delay_ms, .type = BH_CFG_MS, .def = "500ms", .min = "10ms", .max = "60s",
	       .reload = BH_RELOAD_LIVE, .help = "how long after a change a snapshot is written"),
	BH_CFG_LAST,
};

enum restore_state { RESTORE_TODO, RESTORE_ASKED, RESTORE_UNKNOWN, RESTORE_DONE };

struct store {
	struct bh_proc *proc; /* borrowed */
	char dir[512];
	struct snapshot last;	 /* as on disk; carries what is not in the router's state (yet) */
	struct bh_timer *write;	 /* owned by the loop */
	struct bh_timer *restore;
	uint8_t *restoring;	 /* owned: enum restore_state of each entry of `last`, NULL = nothing to restore */
	uint32_t restore_count, asked;
	uint64_t restore_until_ns;
	bool degraded;
};

static const struct store_config *
cfg(const struct store *st)
{
	return bh_proc_config(st->proc);
}

static uint64_t
wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * BH_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* ------------------------------------------------------------------ taking the picture */

static const struct bh_record *
records(const struct store *st, uint32_t *count)
{
	struct bh_peer *router = bh_proc_router(st->proc);
	*count = 0;
	return router && router->state_seg.base
		       ? bh_seg_section(&router->state_seg, BH_SEC_RECORDS, sizeof(struct bh_record), count)
		       : NULL;
}

/* Parameter `index` of a driver or of the room, if it is one to be kept. 0 or -ENOENT. */
static int
param_record(const struct bh_dir_index *dir, uint32_t index, struct bh_dir_record *out)
{
	if (bh_dir_find(dir, index, out) < 0 || out->access & BH_ACCESS_METER || !(out->access & BH_ACCESS_WRITE))
		return -ENOENT;
	return 0;
}

/* The room's choices are pages and what else a person lists: they are kept by name. The main page has an entry of its own. */
static bool
is_kept(const struct bh_peer *from, const struct bh_dir_record *r, enum bh_type *type, union bh_val *v)
{
	char text[BH_TEXT_MAX + 1];
	if (from->slot != BH_SLOT_ROUTER)
		return true;
	if (!strcmp(r->name, "page") || !strncmp(r->name, "layer/", 6))
		return false;
	if (*type == BH_ENUM && v->i >= 0 && bh_dir_choice(&from->dir, r, (unsigned)v->i, text, sizeof(text)) == 0) {
		*type = BH_TEXT;
		memset(v, 0, sizeof(*v));
		memcpy(v->s, text, strlen(text));
	}
	return true;
}

/* A value that waits to be restored must not be overwritten by a driver's defaults. */
static bool
awaits_restore(const struct store *st, const char *name)
{
	for (uint32_t i = 0; st->restoring && i < st->restore_count; i++)
		if (!strcmp(st->last.entry[i].name, name))
			return st->restoring[i] != RESTORE_DONE;
	return false;
}

static void
picture_param(struct store *st, const struct bh_peer *drv, const struct bh_dir_index *dir, const struct bh_record *rec, uint32_t index,
	      uint64_t now)
{
	struct bh_rec_param p;
	struct bh_dir_record r;
	char name[160];
	union bh_val v;
	if (bh_record_read(rec, NULL, &p) != 1 || p.tag != BH_REC_TAG_PARAM || p.slot != drv->slot || p.index != index)
		return;
	enum bh_type type = bh_param_newest(&p, &v, NULL);
	if (type == BH_NONE || param_record(dir, index, &r) < 0 || bh_name_hash(r.name) != p.name_hash ||
	    !is_kept(drv, &r, &type, &v))
		return;
	snprintf(name, sizeof(name), "%s/%s", drv->slot == BH_SLOT_ROUTER ? BH_ROOM_NAME : drv->name, r.name);
	if (awaits_restore(st, name))
		return;
	if (snapshot_set(&st->last, name, (uint8_t)type, &v, now) < 0)
		bh_warn("the snapshot is full (%u entries); %s is left out", SNAPSHOT_MAX, name);
}

static void
picture_page(struct store *st, const struct bh_record *rec, uint64_t now)
{
	struct bh_rec_global g;
	union bh_val v = {0};
	if (bh_record_read(&rec[BH_REC_GLOBAL], NULL, &g) != 1 || g.tag != BH_REC_TAG_GLOBAL || !g.page_name[0])
		return;
	g.page_name[sizeof(g.page_name) - 1] = 0;
	memcpy(v.s, g.page_name, sizeof(v.s));
	snapshot_set(&st->last, "page", BH_TEXT, &v, now);
}

static void
picture(struct store *st)
{
	static struct bh_dir_index dir;
	uint32_t count;
	uint64_t now = wall_ns();
	const struct bh_record *rec = records(st, &count);
	if (!rec || count <= BH_REC_FIRST)
		return;
	picture_page(st, rec, now);
	for (unsigned s = 0; s < BH_MAX_SLOTS; s++) {
		const struct bh_peer *p = &st->proc->peer[s];
		const struct bh_cfg_proc *row = bh_config_proc(&st->proc->config, (uint16_t)s);
		if (!p->has_dir || !row || (row->role != BH_ROLE_DRIVER && row->role != BH_ROLE_ROUTER))
			continue;
		bh_dir_index(&dir, &p->dir);
		for (uint32_t i = 0; i < row->records && row->record_base + i < count; i++)
			picture_param(st, p, &dir, &rec[row->record_base + i], i, now);
	}
}

/*
 * While a snapshot is due, further hints would only wake us: our state_gen is odd then, and the router gives none. It is made
 * even before the picture is taken, so that a change which the picture misses is hinted at again: either the router sees the even
 * word after it wrote the change, or we see the change after we wrote the word.
 */
static void
store_is_due(struct store *st, bool due)
{
	uint64_t *word = &st->proc->self->state_gen;
	__atomic_store_n(word, due ? *word | 1 : (*word | 1) + 1, __ATOMIC_RELAXED);
	shm_full_barrier();
}

static void
write_soon(struct store *st)
{
	bh_timer_in_ms(st->write, cfg(st)->delay_ms);
	store_is_due(st, true);
}

static void
on_write(void *data)
{
	struct store *st = data;
	store_is_due(st, false);
	picture(st);
	st->last.generation++;
	st->last.written_ns = wall_ns();
	bh_proc_busy(st->proc, DISK_MS);
	int r = snapshot_write(&st->last, st->dir);
	bh_proc_busy(st->proc, 0);
	if (r == 0) {
		bh_count(st->proc, CNT_WRITTEN, 1);
		bh_proc_health(st->proc, BH_HEALTH_OK, NULL, "%s", "");
		return;
	}
	bh_count(st->proc, CNT_FAILED, 1);
	bh_proc_health(st->proc, BH_HEALTH_DEGRADED, "free space or mend the folder; the last snapshot is kept",
		       "cannot save: %s (%s)", strerror(-r), st->dir);
	bh_timer_in_ms(st->write, RETRY_WRITE_MS);
}

/* ------------------------------------------------------------------ restoring */

static int
restore_ask(struct store *st, uint32_t n)
{
	struct bh_request_args a = {0};
	const struct snapshot_entry *e = &st->last.entry[n];
	struct bh_event ev = {.kind = BH_EV_REQUEST, .id = BH_REQ_RESTORE, .total = n + 1, .stamp_ns = bh_now_ns()};
	if (!strcmp(e->name, "page"))
		a.text_len = (uint32_t)snprintf(a.text, sizeof(a.text), "page:%.63s", e->v.s);
	else
		a.text_len = (uint32_t)snprintf(a.text, sizeof(a.text), "%s", e->name);
	a.type = e->type;
	a.v = e->v;
	return bh_proc_send(st->proc, bh_proc_router(st->proc), &ev, &a, sizeof(a));
}

static void
restore_end(struct store *st, const char *how)
{
	unsigned done = 0;
	for (uint32_t i = 0; i < st->restore_count; i++)
		done += st->restoring[i] == RESTORE_DONE;
	bh_info("restored %u of %u values of the last snapshot%s", done, st->restore_count, how);
	bh_count(st->proc, CNT_RESTORED, 1);
	free(st->restoring);
	st->restoring = NULL;
	bh_timer_at(st->restore, 0, 0);
}

/* Ask as far as the window lets us; end when all is decided. */
static void
restore_go_on(struct store *st)
{
	bool open = false;
	if (!st->restoring || !bh_proc_router(st->proc))
		return;
	for (uint32_t i = 0; i < st->restore_count; i++) {
		if (st->restoring[i] == RESTORE_TODO && st->asked < RESTORE_WINDOW && restore_ask(st, i) == 0) {
			st->restoring[i] = RESTORE_ASKED;
			st->asked++;
		}
		open |= st->restoring[i] != RESTORE_DONE;
	}
	if (!open)
		restore_end(st, "");
}

/* Drivers that were not there yet may be by now. */
static void
on_restore(void *data)
{
	struct store *st = data;
	if (!st->restoring)
		return;
	if (bh_now_ns() > st->restore_until_ns) {
		restore_end(st, "; the others belong to drivers that did not come up and are kept for the next start");
		return;
	}
	for (uint32_t i = 0; i < st->restore_count; i++)
		if (st->restoring[i] == RESTORE_UNKNOWN)
			st->restoring[i] = RESTORE_TODO;
	bh_timer_in_ms(st->restore, RESTORE_RETRY_MS);
	restore_go_on(st);
}

static void
on_result(struct store *st, const struct bh_event *ev)
{
	uint32_t n = ev->total - 1;
	if (!st->restoring || n >= st->restore_count || st->restoring[n] != RESTORE_ASKED)
		return;
	st->asked--;
	st->restoring[n] = ev->v.i == -ENOENT ? RESTORE_UNKNOWN : RESTORE_DONE;
	restore_go_on(st);
}

static int
restore_start(struct store *st)
{
	st->restore_count = st->last.count;
	/* Once for each life of the pipeline: our counters outlive us, and what the router knows by now is newer. */
	if (!st->restore_count || st->proc->self->counter[CNT_RESTORED])
		return 0;
	st->restoring = calloc(st->restore_count, 1);
	if (!st->restoring)
		return -ENOMEM;
	st->restore_until_ns = bh_now_ns() + RESTORE_GIVE_UP_MS * BH_NS_PER_MS;
	bh_timer_in_ms(st->restore, RESTORE_RETRY_MS);
	restore_go_on(st);
	return 0;
}

/* ------------------------------------------------------------------ the process */

static void
store_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct store *st = state;
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	uint64_t overflow;
	while (bh_proc_take(proc, peer, &ev, payload, &len)) {
		bh_proc_done(proc, peer, &ev);
		if (ev.kind == BH_EV_DIRTY && !bh_timer_armed(st->write))
			write_soon(st);
		else if (ev.kind == BH_EV_RESULT)
			on_result(st, &ev);
	}
	if (bh_inbox_overflowed(&peer->in, &overflow))
		peer->in.overflow_seen = overflow;
}

static int
load(struct store *st)
{
	char why[120] = "";
	int r = snapshot_read(&st->last, st->dir, why, sizeof(why));
	switch (r) {
	case 0:
		bh_info("snapshot of generation %llu has %u values", (unsigned long long)st->last.generation, st->last.count);
		return 0;
	case 1:
		bh_warn("%s; the generation before (%llu, %u values) is used", why,
			(unsigned long long)st->last.generation, st->last.count);
		bh_proc_health(st->proc, BH_HEALTH_DEGRADED, "nothing to do: the next snapshot mends it",
			       "%s: generation %llu is used", why, (unsigned long long)st->last.generation);
		return 0;
	case -ENOENT: bh_info("no snapshot in %s: a first start", st->dir); return 0;
	case -EBADMSG:
		bh_warn("%s: starting with an empty room", why);
		bh_proc_health(st->proc, BH_HEALTH_DEGRADED, "nothing to do: the next snapshot mends it", "%s", why);
		st->last.count = 0;
		return 0;
	default: return r;
	}
}

static int
store_start(struct bh_proc *proc, void *state)
{
	struct store *st = state;
	int r;
	st->proc = proc;
	st->write = bh_timer_new(proc->loop, on_write, st);
	st->restore = bh_timer_new(proc->loop, on_restore, st);
	if (cfg(st)->dir[0])
		snprintf(st->dir, sizeof(st->dir), "%s", cfg(st)->dir);
	else
		bh_path_state(st->dir, sizeof(st->dir), NULL);
	r = snapshot_init(&st->last);
	if (r == 0)
		r = load(st);
	if (r < 0)
		return r;
	/* What changed while nobody looked. */
	if (proc->successor)
		write_soon(st);
	return restore_start(st);
}

static void
store_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct store *st = state;
	(void)proc;
	if (clean && st->last.entry)
		on_write(st);
	snapshot_fini(&st->last);
	free(st->restoring);
}

static int
store_on_config(struct bh_proc *proc, void *state, const void *config, char *why, size_t cap)
{
	(void)proc, (void)state, (void)config, (void)why, (void)cap;
	return 0;
}

static void
store_sandbox(struct bh_sandbox_plan *plan, const void *config)
{
	const struct store_config *c = config;
	char dir[512] = "";
	if (c->dir[0])
		bh_sandbox_path(plan, BH_MAY_KEEP, c->dir);
	else if (bh_path_state(dir, sizeof(dir), NULL) == 0)
		bh_sandbox_path(plan, BH_MAY_KEEP, dir);
}

static const struct bh_proc_ops store_ops = {
	.kind = "store", .role = BH_ROLE_STORE, .state_size = sizeof(struct store), .fields = store_fields,
	.config_size = sizeof(struct store_config), .start = store_start, .stop = store_stop, .drain = store_drain,
	.on_config = store_on_config, 
	.sandbox = {.line = {{BH_MAY_CREATE, NULL, "each snapshot is a new file, renamed over the older one"},
			     {BH_MAY_KEEP, NULL, "the folder of the snapshots: dir, else the state folder"}},
		    .configured = store_sandbox},
};

int
main(int argc, char **argv)
{
	return bh_proc_main(argc, argv, &store_ops);
}

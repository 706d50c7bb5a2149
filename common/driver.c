/*
 * driver.c - see driver.h
 *
 * In:    the router's ring and cells: wanted values, actions
 * Out:   reported values in our cells and ring, the parameter directory, dropped actions
 * Fails: a value that cannot be applied stays wanted and is counted; an action that is too old, quarantined or fails is
 *        reported as dropped, never tried again. A death while a value is being applied is remembered by the in-flight mark:
 *        after two within the window the value is quarantined and skipped.
 */
#include "common/driver.h"

#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/records.h"
#include "common/request.h"
#include "common/standalone.h"

BH_LOG_TOPIC("driver");

#define QUARANTINE_DEATHS 2
#define QUARANTINE_WINDOW_NS (60 * BH_NS_PER_S)

#define NONE UINT32_MAX

/* What stands in its record of the directory is read there. */
struct drv_param {
	bool live, reported;
	bool again; /* what is reported next is told even if it is what was reported last: a hand has wanted something else */
	bool watched; /* METER: somebody looks at it */
	bool added; /* in this life, since the last bh_param_begin() */
	uint8_t type, access;
	uint32_t gen;		/* of the directory index; 0 = there never was one */
	uint32_t wanted_gen;	/* of the value applied last */
	uint32_t record;	/* number of its newest record in the directory */
	uint32_t hash;		/* of its name */
	uint64_t since_ns;	/* cells older than this are of another one that had its index before; 0 = nobody had */
	uint32_t next;		/* live: of the same bucket; else: free after this one; NONE = the last */
	struct bh_value last;	/* reported last */
};

struct bh_driver {
	struct bh_proc *proc;
	const struct bh_driver_desc *desc;
	void *data; /* owned: the driver's own state */
	struct drv_param *param; /* owned, `cap` of them */
	uint32_t cap, used;
	uint32_t *bucket, bucket_mask; /* owned: the first live parameter of each hash, or NONE */
	uint32_t watched; /* meters that somebody looks at */
	uint32_t free_first, free_last; /* indexes below `used` that are free, the one that is free longest first */
	bool dir_changed;
	bool started; /* start() is done: it can be called back */
	uint64_t max_age_ns;
	uint32_t failed_gen; /* of the action of which the driver has told why it failed */
	struct bh_quarantine *quarantine; /* borrowed: private segment */
	uint32_t quarantines;
	bool quarantine_active; /* any of them: else nothing is looked up */
	uint8_t *scratch;
	uint32_t scratch_size;
	uint64_t scanned, next_action; /* positions in the router's ring: looked at so far; next action, or = scanned */
};

static const struct bh_driver_desc *driver_desc; /* of this program */

/* ------------------------------------------------------------------ values */

struct bh_value
bh_text(const char *s)
{
	struct bh_value v = {.type = BH_TEXT};
	size_t n = strnlen(s, sizeof(v.s));
	if (n >= sizeof(v.s)) {
		n = sizeof(v.s) - 1;
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(v.s, s, n);
	return v;
}

static bool
value_same(const struct bh_value *a, const struct bh_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == BH_TEXT)
		return !strcmp(a->s, b->s);
	return a->i == b->i;
}

static struct bh_value
value_from(uint8_t type, const union bh_val *v)
{
	struct bh_value out = {.type = type};
	if (type == BH_TEXT)
		memcpy(out.s, v->s, sizeof(out.s));
	else
		out.i = v->i;
	out.s[sizeof(out.s) - 1] = type == BH_TEXT ? 0 : out.s[sizeof(out.s) - 1];
	return out;
}

/* May this value be given to the driver? Type as in the directory, numbers finite; ranges are clamped by the router. */
static bool
value_fits(const struct drv_param *p, const struct bh_value *v)
{
	return p->live && v->type == p->type && (v->type != BH_FLOAT || isfinite(v->f));
}

static uint64_t
digest_of(uint8_t kind, uint32_t id, const void *bytes, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull ^ kind ^ (uint64_t)id << 8;
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
	return h ? h : 1;
}

static uint64_t
digest_value(uint32_t id, const struct bh_value *v)
{
	return v->type == BH_TEXT ? digest_of(BH_EV_VALUE, id, v->s, strlen(v->s)) : digest_of(BH_EV_VALUE, id, &v->i, 8);
}

static const char *
param_name(const struct bh_driver *drv, uint32_t id)
{
	return id < drv->cap && drv->param[id].gen ? drv->proc->dir.records[drv->param[id].record].name : "";
}

static unsigned
action_count(const struct bh_driver_desc *d)
{
	unsigned n = 0;
	while (d->actions && d->actions[n].name)
		n++;
	return n;
}

static const char *
action_name(const struct bh_driver_desc *d, uint32_t id)
{
	return id < action_count(d) ? d->actions[id].name : "?";
}

/* ------------------------------------------------------------------ in-flight mark and quarantine */

static void
mark_set(struct bh_driver *drv, uint8_t kind, uint32_t id, uint64_t digest, uint64_t seq)
{
	struct bh_inflight *m = &drv->proc->self->inflight;
	m->digest = digest;
	m->id = id;
	m->peer = BH_SLOT_ROUTER;
	m->kind = kind;
	m->stamp_ns = drv->proc->now_ns;
	__atomic_store_n(&m->seq, seq ? seq : 1, __ATOMIC_RELEASE);
}

static void
mark_clear(struct bh_driver *drv)
{
	__atomic_store_n(&drv->proc->self->inflight.seq, 0, __ATOMIC_RELEASE);
}

static bool
is_quarantined(struct bh_driver *drv, uint8_t kind, uint32_t id, uint64_t digest)
{
	if (!drv->quarantine_active)
		return false;
	for (uint32_t i = 0; i < drv->quarantines; i++) {
		struct bh_quarantine *q = &drv->quarantine[i];
		if (!q->active || q->digest != digest || q->id != id || q->kind != kind)
			continue;
		q->skipped++;
		bh_count(drv->proc, BH_CNT_QUARANTINED, 1);
		return true;
	}
	return false;
}

static struct bh_quarantine *
quarantine_entry(struct bh_driver *drv, const struct bh_inflight *m)
{
	struct bh_quarantine *oldest = NULL;
	for (uint32_t i = 0; i < drv->quarantines; i++) {
		struct bh_quarantine *q = &drv->quarantine[i];
		if (q->digest == m->digest && q->id == m->id && q->kind == m->kind)
			return q;
		if (!oldest || q->last_ns < oldest->last_ns)
			oldest = q;
	}
	if (oldest)
		*oldest = (struct bh_quarantine){.digest = m->digest, .id = m->id, .kind = m->kind};
	return oldest;
}

/* Our predecessor died while it applied something: count it against that value, not against the driver alone. */
static void
quarantine_predecessor(struct bh_driver *drv)
{
	struct bh_inflight m = drv->proc->self->inflight;
	uint64_t now = bh_now_ns();
	if (!m.seq)
		return;
	mark_clear(drv);
	struct bh_quarantine *q = quarantine_entry(drv, &m);
	if (!q)
		return;
	if (!q->deaths || now - q->first_ns > QUARANTINE_WINDOW_NS) {
		q->first_ns = now;
		q->deaths = 0;
	}
	q->deaths++;
	q->last_ns = now;
	const char *what = m.kind == BH_EV_ACTION ? "action" : "value of parameter";
	const char *name = m.kind != BH_EV_ACTION ? param_name(drv, m.id) : action_name(drv->desc, m.id);
	snprintf(q->what, sizeof(q->what), "%.23s", name);
	if (q->deaths < QUARANTINE_DEATHS) {
		bh_warn("the last life ended while it applied %s %u %s; %s", what, m.id, name,
			m.kind == BH_EV_ACTION ? "it is not tried again" : "trying it once more");
		return;
	}
	q->active = 1;
	drv->quarantine_active = true;
	bh_err("%s %u %s is quarantined: it ended this driver %u times; it is skipped until `bulkhead release %s`", what, m.id,
	       name, q->deaths, drv->proc->name);
}

/* How many were skipped until now. */
static unsigned
quarantine_release(struct bh_driver *drv)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < drv->quarantines; i++) {
		n += drv->quarantine[i].active;
		drv->quarantine[i] = (struct bh_quarantine){0};
	}
	drv->quarantine_active = false;
	if (n)
		bh_info("quarantine emptied: %u no longer skipped", n);
	return n;
}

/* ------------------------------------------------------------------ directory */

static void
forget_all(struct bh_driver *drv)
{
	memset(drv->param, 0, sizeof(*drv->param) * drv->cap);
	memset(drv->bucket, 0xff, sizeof(*drv->bucket) * (drv->bucket_mask + 1));
	drv->used = drv->watched = 0;
	drv->free_first = drv->free_last = NONE;
}

static void
index_in(struct bh_driver *drv, uint32_t i)
{
	uint32_t *bucket = &drv->bucket[drv->param[i].hash & drv->bucket_mask];
	drv->param[i].next = *bucket;
	*bucket = i;
}

static void
index_out(struct bh_driver *drv, uint32_t i)
{
	uint32_t *at = &drv->bucket[drv->param[i].hash & drv->bucket_mask];
	while (*at != i)
		at = &drv->param[*at].next;
	*at = drv->param[i].next;
}

static void
free_in(struct bh_driver *drv, uint32_t i)
{
	drv->param[i].next = NONE;
	if (drv->free_first == NONE)
		drv->free_first = i;
	else
		drv->param[drv->free_last].next = i;
	drv->free_last = i;
}

static void
free_out(struct bh_driver *drv, uint32_t i)
{
	uint32_t *at = &drv->free_first, before = NONE;
	while (*at != i) {
		before = *at;
		at = &drv->param[*at].next;
	}
	*at = drv->param[i].next;
	if (drv->free_last == i)
		drv->free_last = before;
}

/* What stands in record n of the directory holds from here on. */
static void
record_take(struct bh_driver *drv, uint32_t n, const struct bh_dir_record *r)
{
	struct drv_param *p = &drv->param[r->index];
	bool live = !(r->flags & BH_DIR_TOMBSTONE);
	for (; drv->used < r->index; drv->used++)
		free_in(drv, drv->used);
	bool fresh = drv->used == r->index;
	drv->used += fresh;
	if (p->live)
		index_out(drv, r->index);
	else if (live && !fresh)
		free_out(drv, r->index);
	if (!live && (p->live || fresh))
		free_in(drv, r->index);
	if (p->watched && (!live || !(r->access & BH_ACCESS_METER))) {
		p->watched = false;
		drv->watched--;
	}
	p->live = live;
	p->record = n;
	p->gen = r->gen;
	p->type = r->type;
	p->access = r->access;
	p->since_ns = r->since_ns;
	p->hash = bh_name_hash(r->name);
	if (live)
		index_in(drv, r->index);
}

/* Bring our table in step with what a predecessor published; a damaged directory is begun anew. */
static void
directory_recall(struct bh_driver *drv)
{
	uint32_t count = bh_dir_count(&drv->proc->dir);
	for (uint32_t n = 0; n < count; n++) {
		struct bh_dir_record r;
		if (bh_dir_read(&drv->proc->dir, n, &r) < 0 || r.index >= drv->cap) {
			bh_warn("parameter directory record %u is damaged; rebuilding the directory", n);
			bh_count(drv->proc, BH_CNT_RECORDS_BAD, 1);
			bh_dir_rebuild(&drv->proc->dir);
			forget_all(drv);
			return;
		}
		record_take(drv, n, &r);
	}
}

static int64_t
find_param(const struct bh_driver *drv, const char *name)
{
	char cut[BH_NAME_MAX + 1]; /* as it stands in the directory */
	snprintf(cut, sizeof(cut), "%s", name);
	uint32_t hash = bh_name_hash(cut);
	for (uint32_t i = drv->bucket[hash & drv->bucket_mask]; i != NONE; i = drv->param[i].next)
		if (drv->param[i].hash == hash && !strcmp(param_name(drv, i), cut))
			return i;
	return -ENOENT;
}

static int64_t
free_index(const struct bh_driver *drv)
{
	if (drv->used < drv->cap)
		return drv->used;
	return drv->free_first == NONE ? -ENOSPC : (int64_t)drv->free_first;
}

static void watch_look(struct bh_driver *drv, uint32_t id);

static size_t
choices_join(char *buf, size_t cap, const char *const *choices, uint16_t *count)
{
	size_t n = 0;
	*count = 0;
	for (; choices && choices[*count]; (*count)++) {
		size_t len = strlen(choices[*count]) + 1;
		if (n + len > cap)
			break;
		memcpy(buf + n, choices[*count], len);
		n += len;
	}
	return n;
}

static void
record_fill(struct bh_driver *drv, struct bh_dir_record *r, const struct bh_param *d, uint32_t index)
{
	*r = (struct bh_dir_record){.index = index, .type = (uint8_t)d->type, .taper = (uint8_t)d->taper, .access = d->access,
				    .was = UINT32_MAX, .min = d->min, .max = d->max, .step = d->step, .def = d->def};
	if (drv->desc->resync_all && (d->access & BH_ACCESS_WRITE))
		r->access |= BH_ACCESS_RESTORE;
	snprintf(r->name, sizeof(r->name), "%.*s", (int)BH_NAME_MAX, d->name);
	snprintf(r->unit, sizeof(r->unit), "%s", d->unit ? d->unit : "");
	snprintf(r->label, sizeof(r->label), "%s", d->label ? d->label : "");
	snprintf(r->backend_id, sizeof(r->backend_id), "%s", d->backend_id ? d->backend_id : "");
}

/* Same in everything that a reader cares about? */
static bool
record_same(struct bh_driver *drv, const struct bh_dir_record *a, const struct bh_dir_record *b, const char *choices, size_t len)
{
	return a->type == b->type && a->taper == b->taper && a->access == b->access && a->min == b->min && a->max == b->max &&
	       a->step == b->step && a->choices == b->choices && a->choices_len == len && !strcmp(a->unit, b->unit) &&
	       !strcmp(a->label, b->label) &&
	       (!len || (a->choices_off + len <= drv->proc->dir.string_cap &&
			 !memcmp(drv->proc->dir.strings + a->choices_off, choices, len)));
}

static bool
is_newest(const struct bh_driver *drv, uint32_t n, bool live)
{
	const struct bh_dir_record *r = &drv->proc->dir.records[n];
	const struct drv_param *p = r->index < drv->cap ? &drv->param[r->index] : NULL;
	return p && p->gen && p->record == n && (p->live || !live);
}

static void
directory_loses(struct bh_driver *drv, uint32_t lost)
{
	__atomic_store_n(&drv->proc->dir.head->lost, lost, __ATOMIC_RELEASE);
}

/*
 * The directory is full of what was: begin it anew with the newest record of each index, in the same order; of those that are gone,
 * too, as long as there is room, so that indexes go on counting who had them. Who reads meanwhile sees the epoch move. Rare, and not
 * on the path of an event: it may allocate.
 */
static int
directory_compact(struct bh_driver *drv)
{
	struct bh_dir *dir = &drv->proc->dir;
	uint32_t count = bh_dir_count(dir), newest = 0, kept = 0;
	bh_autofree struct bh_dir_record *keep = calloc(count ? count : 1, sizeof(*keep));
	bh_autofree char *strings = malloc(dir->string_cap ? dir->string_cap : 1);
	if (!keep || !strings)
		return -ENOMEM;
	for (uint32_t n = 0; n < count; n++)
		newest += is_newest(drv, n, false);
	for (uint32_t n = 0; n < count; n++)
		if (is_newest(drv, n, newest >= dir->record_cap))
			keep[kept++] = dir->records[n];
	if (kept == count)
		return -ENOSPC;
	memcpy(strings, dir->strings, dir->string_cap);
	/* Who dies from here on leaves a part of what was. */
	uint32_t before = dir->head->lost;
	directory_loses(drv, 1);
	bh_dir_rebuild(dir);
	for (uint32_t i = 0; i < kept; i++) {
		int n = bh_dir_append(dir, &keep[i], strings + keep[i].choices_off, keep[i].choices_len);
		if (n < 0)
			return n;
		drv->param[keep[i].index].record = (uint32_t)n;
	}
	if (kept == newest)
		directory_loses(drv, before);
	drv->dir_changed = true;
	bh_dbg("directory begun anew: %u of %u records", kept, count);
	return 0;
}

static int64_t
param_publish(struct bh_driver *drv, struct bh_dir_record *r, const char *choices, size_t len)
{
	int n = bh_dir_append(&drv->proc->dir, r, len ? choices : NULL, len);
	if (n == -ENOSPC && directory_compact(drv) == 0)
		n = bh_dir_append(&drv->proc->dir, r, len ? choices : NULL, len);
	if (n < 0)
		return n;
	record_take(drv, (uint32_t)n, r);
	drv->dir_changed = true;
	return r->index;
}

int64_t
bh_param_add(struct bh_driver *drv, const struct bh_param *d)
{
	char choices[8192];
	struct bh_dir_record r;
	int64_t i = find_param(drv, d->name);
	bool known = i >= 0;
	if (!known)
		i = free_index(drv);
	if (i < 0)
		return i;
	record_fill(drv, &r, d, (uint32_t)i);
	size_t len = choices_join(choices, sizeof(choices), d->choices, &r.choices);
	r.choices_len = (uint32_t)len;
	struct drv_param *p = &drv->param[i];
	p->added = true;
	r.gen = known ? p->gen : p->gen + 1;
	if (known && record_same(drv, &drv->proc->dir.records[p->record], &r, choices, len))
		return i;
	/* What stands in the cells of an index that another parameter had, or may have had, is not this one's. */
	r.since_ns = known ? p->since_ns : p->gen || drv->proc->dir.head->lost == 1 ? bh_now_ns() : 0;
	if (!known) {
		p->reported = false;
		p->wanted_gen = 0;
	}
	i = param_publish(drv, &r, choices, len);
	if (i >= 0 && drv->started)
		watch_look(drv, (uint32_t)i);
	return i;
}

uint32_t
bh_param_cap(const struct bh_driver *drv)
{
	return drv->cap;
}

int
bh_param_remove(struct bh_driver *drv, bh_param_id id)
{
	if (id >= drv->cap || !drv->param[id].live)
		return -ENOENT;
	struct bh_dir_record r = drv->proc->dir.records[drv->param[id].record];
	r.flags |= BH_DIR_TOMBSTONE;
	r.choices = 0;
	r.choices_len = 0;
	int64_t n = param_publish(drv, &r, NULL, 0);
	return n < 0 ? (int)n : 0;
}

void
bh_param_begin(struct bh_driver *drv)
{
	uint32_t i = 0;
	/* Those of the static table belong to every list. */
	for (; drv->desc->params && drv->desc->params[i].name; i++)
		;
	for (; i < drv->cap; i++)
		drv->param[i].added = false;
}

unsigned
bh_param_sweep(struct bh_driver *drv)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < drv->used; i++)
		if (drv->param[i].live && !drv->param[i].added)
			n += bh_param_remove(drv, i) == 0;
	return n;
}

int
bh_param_rename(struct bh_driver *drv, bh_param_id id, const struct bh_param *d)
{
	char choices[8192];
	struct bh_dir_record r;
	int e = bh_param_remove(drv, id);
	if (e < 0)
		return e;
	/* The same index under a new name: its cells and records go on. */
	record_fill(drv, &r, d, id);
	r.since_ns = drv->param[id].since_ns;
	size_t len = choices_join(choices, sizeof(choices), d->choices, &r.choices);
	r.choices_len = (uint32_t)len;
	r.was = id;
	r.gen = drv->param[id].gen + 1;
	drv->param[id].added = true;
	int64_t n = param_publish(drv, &r, choices, len);
	return n < 0 ? (int)n : 0;
}

/* ------------------------------------------------------------------ reporting */

static bool
is_meter(const struct drv_param *p)
{
	return p->access & BH_ACCESS_METER;
}

static int
report_put(struct bh_driver *drv, bh_param_id id, uint64_t stamp_ns)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	struct drv_param *p = &drv->param[id];
	union bh_val v = {0};
	if (!router)
		return 0;
	memcpy(&v, p->last.s, sizeof(v));
	struct bh_event ev = {.kind = p->access & BH_ACCESS_METER ? BH_EV_METER : BH_EV_VALUE,
			      .id = id, .type = (uint8_t)p->last.type, .stamp_ns = stamp_ns,
			      .total = is_meter(p) ? 0 : p->wanted_gen}; /* what had been wanted by then: see is_newer() */
	int r = bh_proc_put(drv->proc, router, &ev, &v, 0);
	return r < 0 ? r : 0;
}

int
bh_report(struct bh_driver *drv, bh_param_id id, struct bh_value v)
{
	if (id >= drv->cap || !value_fits(&drv->param[id], &v))
		return -EINVAL;
	struct drv_param *p = &drv->param[id];
	if (p->reported && !p->again && value_same(&p->last, &v))
		return 0;
	p->last = v;
	p->reported = true;
	p->again = false;
	return is_meter(p) && !p->watched ? 0 : report_put(drv, id, bh_now_ns());
}

static int
wanted_cell(struct bh_driver *drv, bh_param_id id, struct bh_cell_body *c)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	return router && router->has_in && bh_inbox_cell(&router->in, id, c) == 1 && c->stamp_ns >= drv->param[id].since_ns;
}

/*
 * Is what is wanted newer than what was reported? By when the hand did it and when it was reported; but a hand that went on may have done
 * so before the report of what it wanted before: that report says which wanted value was known by then.
 */
static bool
is_newer(const struct bh_cell_body *want, const struct bh_cell_body *have)
{
	return want->stamp_ns > have->stamp_ns || (have->extra && want->gen != have->extra);
}

int
bh_wanted(struct bh_driver *drv, bh_param_id id, struct bh_value *v)
{
	struct bh_cell_body c;
	if (id >= drv->cap || !wanted_cell(drv, id, &c))
		return 0;
	*v = value_from(c.type, &c.v);
	return value_fits(&drv->param[id], v);
}

uint64_t
bh_wanted_stamp(struct bh_driver *drv, bh_param_id id)
{
	struct bh_cell_body c;
	struct bh_value v;
	if (id >= drv->cap || !wanted_cell(drv, id, &c))
		return 0;
	v = value_from(c.type, &c.v);
	return value_fits(&drv->param[id], &v) ? c.stamp_ns : 0;
}

int
bh_reported(struct bh_driver *drv, bh_param_id id, struct bh_value *v)
{
	if (id >= drv->cap || !drv->param[id].reported)
		return 0;
	*v = drv->param[id].last;
	return 1;
}

int
bh_unconfirmed(struct bh_driver *drv, bh_param_id id, struct bh_value *v)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	struct bh_cell_body want, have = {0};
	if (id >= drv->cap || !drv->param[id].live || !(drv->param[id].access & BH_ACCESS_WRITE) || !wanted_cell(drv, id, &want))
		return 0;
	*v = value_from(want.type, &want.v);
	if (router->has_out && id < router->out.cell_count)
		bh_cell_read(&router->out.cells[id], &have);
	return value_fits(&drv->param[id], v) && is_newer(&want, &have) &&
	       (!drv->param[id].reported || !value_same(&drv->param[id].last, v));
}

/* What an earlier life reported still stands in our outbox. */
static void
reported_recall(struct bh_driver *drv)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	for (uint32_t i = 0; router && router->has_out && i < drv->used && i < router->out.cell_count; i++) {
		struct bh_cell_body c;
		struct bh_value v;
		if (!drv->param[i].live || is_meter(&drv->param[i]) || bh_cell_read(&router->out.cells[i], &c) <= 0 ||
		    c.stamp_ns < drv->param[i].since_ns)
			continue;
		v = value_from(c.type, &c.v);
		if (!value_fits(&drv->param[i], &v))
			continue;
		drv->param[i].last = v;
		drv->param[i].reported = true;
		drv->param[i].wanted_gen = c.extra; /* until resync: what start() reports is no answer to more than that */
	}
}

/* ------------------------------------------------------------------ meters that somebody looks at */

static void
watch_set(struct bh_driver *drv, uint32_t id, bool watched)
{
	struct drv_param *p = &drv->param[id];
	if (p->watched == watched)
		return;
	p->watched = watched;
	drv->watched += watched ? 1u : -1u;
	if (watched && p->reported)
		report_put(drv, id, bh_now_ns());
	if (drv->desc->on_watch && drv->started)
		drv->desc->on_watch(drv->data, id, watched);
}

/* What the router's cell says of it. */
static void
watch_look(struct bh_driver *drv, uint32_t id)
{
	struct bh_value v;
	if (drv->param[id].live && is_meter(&drv->param[id]))
		watch_set(drv, id, bh_wanted(drv, id, &v) && v.i != 0); /* 1.0 is not 0 either */
}

bool
bh_watched(const struct bh_driver *drv, bh_param_id id)
{
	return id < drv->cap && drv->param[id].live && drv->param[id].watched;
}

uint32_t
bh_watched_count(const struct bh_driver *drv)
{
	return drv->watched;
}

/* ------------------------------------------------------------------ applying */

static void
apply_value(struct bh_driver *drv, uint32_t id, uint32_t gen, uint64_t seq, const struct bh_value *v)
{
	struct drv_param *p = &drv->param[id];
	uint64_t digest = digest_value(id, v);
	p->wanted_gen = gen;
	if (is_meter(p)) {
		watch_set(drv, id, v->i != 0);
		return;
	}
	if (!drv->desc->on_value || is_quarantined(drv, BH_EV_VALUE, id, digest))
		return;
	mark_set(drv, BH_EV_VALUE, id, digest, seq);
	int r = drv->desc->on_value(drv->data, id, v);
	mark_clear(drv);
	if (r < 0)
		bh_dbg("%s: value not applied now (%s); it stays wanted", param_name(drv, id), strerror(-r));
}

/* Tell the router, who knows which control asked. `words` may be empty. */
static void
tell_dropped(struct bh_driver *drv, struct bh_event *ev, enum bh_drop why, const char *words)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	ev->kind = BH_EV_DROPPED;
	ev->type = BH_INT;
	ev->v.i = why;
	bh_count(drv->proc, why == BH_DROP_LATE ? BH_CNT_DROPPED_LATE : BH_CNT_REFUSED, 1);
	if (router && bh_proc_send(drv->proc, router, ev, words, strlen(words)) < 0 && *words)
		bh_proc_send(drv->proc, router, ev, NULL, 0);
}

static void
action_dropped(struct bh_driver *drv, const struct bh_event *a, enum bh_drop why)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(5, 10000);
	struct bh_event ev = {.id = a->id, .gen = a->gen, .total = a->total, .stamp_ns = a->stamp_ns};
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "action %s was not done: %s", action_name(drv->desc, a->id), bh_drop_name(why));
	tell_dropped(drv, &ev, why, "");
}

static void
words_of(char *out, size_t cap, const char *fmt, va_list ap)
{
	vsnprintf(out, cap, fmt, ap);
	size_t n = strlen(out);
	if (n + 1 < cap)
		return;
	/* It was cut, perhaps within its last character. */
	while (n && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
		n--;
	if (n && (unsigned char)out[n - 1] >= 0xc0)
		n--;
	out[n] = 0;
}

/* "desk/select1", or who else asked. */
static const char *
origin_name(struct bh_driver *drv, uint32_t origin, char *out, size_t cap)
{
	const struct bh_config *config = &drv->proc->config;
	uint16_t slot = (uint16_t)(origin >> 16);
	const struct bh_cfg_surface *s = config->head && slot < BH_MAX_SLOTS ? bh_config_surface(config, slot) : NULL;
	const struct bh_cfg_control *c = s ? bh_config_control(config, s, origin & 0xffff) : NULL;
	const struct bh_cfg_proc *p = s ? bh_config_proc(config, slot) : NULL;
	if (c && p)
		snprintf(out, cap, "%s/%.23s", bh_config_str(config, p->name), c->name);
	else
		snprintf(out, cap, slot == BH_SLOT_ROUTER ? "a reaction" : "a request");
	return out;
}

void
bh_action_failed(struct bh_driver *drv, uint32_t id, uint32_t origin, uint32_t gen, const char *why, ...)
{
	struct bh_event ev = {.id = id, .gen = gen, .total = origin, .stamp_ns = bh_now_ns()};
	static struct bh_log_limit limit = BH_LOG_LIMIT(5, 10000);
	char words[BH_REASON_MAX + 1], who[64];
	va_list ap;
	va_start(ap, why);
	words_of(words, sizeof(words), why, ap);
	va_end(ap);
	drv->failed_gen = gen;
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "%s: %s was not done: %s", origin_name(drv, origin, who, sizeof(who)),
		       action_name(drv->desc, id), words);
	tell_dropped(drv, &ev, BH_DROP_FAILED, words);
}

void
bh_value_failed(struct bh_driver *drv, bh_param_id id, const char *why, ...)
{
	static struct bh_log_limit limit = BH_LOG_LIMIT(5, 10000);
	struct bh_event ev = {.id = id, .stamp_ns = bh_now_ns(), .v.u[1] = 1};
	char words[BH_REASON_MAX + 1];
	va_list ap;
	va_start(ap, why);
	words_of(words, sizeof(words), why, ap);
	va_end(ap);
	bh_log_limited(&limit, BH_LOG_WARN, bh_log_topic, "%s was not set: %s", id < drv->cap ? param_name(drv, id) : "?", words);
	tell_dropped(drv, &ev, BH_DROP_FAILED, words);
	if (id < drv->cap)
		drv->param[id].again = true;
}

static unsigned
split_args(struct bh_action *a, char *text, size_t len)
{
	unsigned n = 0;
	for (size_t at = 0; at < len && n < BH_ACTION_ARGS; n++) {
		a->argv[n] = text + at;
		at += strnlen(text + at, len - at) + 1;
	}
	return n;
}

/* Committed before it is done: whoever dies here has done it or not, but nobody does it twice. */
static void
apply_action(struct bh_driver *drv, struct bh_peer *router, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	char text[BH_PAYLOAD_MAX + 1];
	uint64_t now = bh_now_ns();
	struct bh_action a = {.id = ev->id, .origin = ev->total, .gen = ev->gen, .stamp_ns = ev->stamp_ns, .age_ns = now > ev->stamp_ns ? now - ev->stamp_ns : 0};
	uint64_t digest = digest_of(BH_EV_ACTION, ev->id, payload, len);
	bh_proc_done(drv->proc, router, ev);
	if (ev->id >= action_count(drv->desc) || !drv->desc->on_action) {
		action_dropped(drv, ev, BH_DROP_UNKNOWN);
		return;
	}
	if (a.age_ns > drv->max_age_ns) {
		action_dropped(drv, ev, BH_DROP_LATE);
		return;
	}
	if (is_quarantined(drv, BH_EV_ACTION, ev->id, digest)) {
		action_dropped(drv, ev, BH_DROP_QUARANTINED);
		return;
	}
	memcpy(text, payload, len);
	text[len] = 0;
	a.argc = split_args(&a, text, len);
	drv->failed_gen = ev->gen - 1;
	bh_count(drv->proc, BH_CNT_ACTIONS_BEGUN, 1);
	mark_set(drv, BH_EV_ACTION, ev->id, digest, ev->seq);
	int r = drv->desc->on_action(drv->data, &a);
	mark_clear(drv);
	if (r < 0 && drv->failed_gen != ev->gen)
		action_dropped(drv, ev, BH_DROP_FAILED);
}

/*
 * Is an action waiting in the ring behind position `pos`? A value that has a newer one may be skipped only if none is:
 * "preview A, cut, preview B" must not become "preview B, cut". Each slot is looked at once.
 */
static bool
action_ahead(struct bh_driver *drv, const struct bh_ring_rx *rx, uint64_t pos)
{
	if (drv->next_action > pos && drv->next_action < drv->scanned)
		return true;
	if (drv->scanned <= pos)
		drv->scanned = pos + 1;
	for (; drv->scanned - pos <= rx->mask; drv->scanned++) {
		const struct bh_event *s = &rx->slots[drv->scanned & rx->mask];
		uint64_t seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);
		if ((seq & ~BH_SEQ_CONT) != drv->scanned + 1)
			return false;
		if (!(seq & BH_SEQ_CONT) && __atomic_load_n(&s->kind, __ATOMIC_RELAXED) == BH_EV_ACTION) {
			drv->next_action = drv->scanned++;
			return true;
		}
	}
	return false;
}

/* Is anything in the ring behind the event in hand? Most often not: then it is the newest, and no cell need be looked at. */
static bool
more_follow(const struct bh_ring_rx *rx)
{
	uint64_t seq = __atomic_load_n(&rx->slots[rx->next & rx->mask].seq, __ATOMIC_ACQUIRE);
	return (seq & ~BH_SEQ_CONT) == rx->next + 1;
}

static void
on_value_event(struct bh_driver *drv, struct bh_peer *router, const struct bh_event *ev, const uint8_t *payload, size_t len)
{
	struct bh_cell_body c;
	union bh_val u;
	uint64_t pos = router->in.ring.pos;
	if (ev->id >= drv->cap || bh_event_value(ev, payload, len, &u) < 0) {
		bh_count(drv->proc, BH_CNT_PEER_FAULTS, 1);
		return;
	}
	struct drv_param *p = &drv->param[ev->id];
	struct bh_value v = value_from(ev->type, &u);
	bool newest = value_fits(p, &v) && ev->stamp_ns >= p->since_ns && (!p->wanted_gen || (int32_t)(ev->gen - p->wanted_gen) > 0);
	if (newest && more_follow(&router->in.ring) && wanted_cell(drv, ev->id, &c) && c.gen != ev->gen &&
	    !action_ahead(drv, &router->in.ring, pos))
		newest = false; /* one follows */
	bh_count(drv->proc, newest ? BH_CNT_VALUES_APPLIED : BH_CNT_VALUES_LEFT_OUT, 1);
	if (newest)
		apply_value(drv, ev->id, ev->gen, ev->seq, &v);
}

/*
 * The ring ran full: what was conflated stands in the cells. False: the ring is no longer empty, and an action in it may be older than
 * what the cells have by now; its turn first.
 */
static bool
drain_cells(struct bh_driver *drv, struct bh_peer *router)
{
	for (uint32_t i = 0; i < drv->used; i++) {
		struct bh_cell_body c;
		struct bh_value v;
		if (!drv->param[i].live || !wanted_cell(drv, i, &c) || c.gen == drv->param[i].wanted_gen)
			continue;
		if (bh_ring_has(&router->in.ring))
			return false;
		v = value_from(c.type, &c.v);
		if (value_fits(&drv->param[i], &v))
			apply_value(drv, i, c.gen, 0, &v);
	}
	return true;
}

/* What stands in the ring. True: it says that the cells are to be looked at, too. */
static bool
drain_ring(struct bh_driver *drv, struct bh_peer *router)
{
	struct bh_event ev;
	uint8_t payload[BH_PAYLOAD_MAX];
	size_t len;
	bool look = false;
	while (bh_proc_take(drv->proc, router, &ev, payload, &len)) {
		if (ev.kind == BH_EV_ACTION) {
			apply_action(drv, router, &ev, payload, len);
			continue;
		}
		if (ev.kind == BH_EV_VALUE)
			on_value_event(drv, router, &ev, payload, len);
		look |= ev.kind == BH_EV_RESYNC;
		uint64_t now = bh_now_ns();
		if (drv->proc->hists && now > ev.stamp_ns)
			bh_hist_add(&drv->proc->hists[0], now - ev.stamp_ns);
		bh_proc_done(drv->proc, router, &ev);
	}
	return look;
}

static void
driver_on_router(struct bh_driver *drv, struct bh_peer *router)
{
	uint64_t overflow;
	bool look = false;
	for (;;) {
		look |= drain_ring(drv, router);
		look |= bh_inbox_overflowed(&router->in, &overflow);
		if (!look)
			return;
		if (drain_cells(drv, router)) {
			router->in.overflow_seen = overflow;
			return;
		}
	}
}

/*
 * At start, and when the router got fresh segments: apply what is wanted and not known to be there. Of a wanted value and a
 * reported one the newer counts: what the backend did by itself is not undone.
 */
static void
driver_resync(struct bh_driver *drv, bool backend_is_new)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	for (uint32_t i = 0; router && i < drv->used; i++) {
		struct drv_param *p = &drv->param[i];
		struct bh_cell_body want, have = {0};
		struct bh_value v;
		watch_look(drv, i);
		if (!p->live || !(p->access & BH_ACCESS_WRITE))
			continue;
		bool wanted = wanted_cell(drv, i, &want);
		v = wanted ? value_from(want.type, &want.v) : (struct bh_value){0};
		wanted = wanted && value_fits(p, &v);
		if (router->has_out && i < router->out.cell_count)
			bh_cell_read(&router->out.cells[i], &have);
		bool newer = wanted && (is_newer(&want, &have) || !p->reported);
		if (newer && (backend_is_new || !p->reported || !value_same(&p->last, &v))) {
			apply_value(drv, i, want.gen, 0, &v);
			continue;
		}
		p->wanted_gen = wanted ? want.gen : 0;
		/* A backend that died with its driver is given back what it reported last. */
		if (backend_is_new && p->reported) {
			v = p->last;
			apply_value(drv, i, p->wanted_gen, 0, &v);
		}
	}
}

/* ------------------------------------------------------------------ the process around it */

static void
driver_drain(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	(void)proc;
	if (peer->role == BH_ROLE_ROUTER)
		driver_on_router(state, peer);
}

static void
driver_on_peer(struct bh_proc *proc, void *state, struct bh_peer *peer)
{
	struct bh_driver *drv = state;
	(void)proc;
	if (peer->role != BH_ROLE_ROUTER || !peer->present)
		return;
	drv->scanned = drv->next_action = 0;
	drv->dir_changed = true;
	for (uint32_t i = 0; i < drv->used; i++) {
		drv->param[i].wanted_gen = 0;
		if (drv->param[i].live && drv->param[i].reported && (!is_meter(&drv->param[i]) || drv->param[i].watched))
			report_put(drv, i, bh_now_ns());
	}
	driver_resync(drv, false);
}

static void
driver_before_sleep(struct bh_proc *proc, void *state)
{
	struct bh_driver *drv = state;
	struct bh_peer *router = bh_proc_router(proc);
	if (drv->desc->on_idle)
		drv->desc->on_idle(drv->data);
	if (!drv->dir_changed || !router)
		return;
	struct bh_event ev = {.kind = BH_EV_DIRECTORY, .type = BH_INT, .stamp_ns = proc->now_ns,
			      .v.i = bh_dir_count(&proc->dir)};
	if (bh_proc_send(proc, router, &ev, NULL, 0) == 0)
		drv->dir_changed = false;
}

/*
 * Say again what the backend has, and let the driver look whether that is still so. What was wanted after it was reported last is
 * left out: the older value, coming again, would look as if the backend insisted on it.
 */
static unsigned
report_all(struct bh_driver *drv)
{
	struct bh_peer *router = bh_proc_router(drv->proc);
	unsigned n = 0;
	for (uint32_t i = 0; router && router->has_out && i < drv->used && i < router->out.cell_count; i++) {
		const struct drv_param *p = &drv->param[i];
		struct bh_cell_body want, have = {0};
		if (!p->live || !p->reported || p->access & BH_ACCESS_METER)
			continue;
		bh_cell_read(&router->out.cells[i], &have);
		if (!wanted_cell(drv, i, &want) || !is_newer(&want, &have))
			n += report_put(drv, i, bh_now_ns()) == 0;
	}
	if (drv->desc->on_sync)
		drv->desc->on_sync(drv->data);
	return n;
}

/* What was skipped is done now, if it is still wanted. */
static void
driver_release(struct bh_driver *drv, uint32_t number)
{
	unsigned n = quarantine_release(drv);
	if (n)
		driver_resync(drv, false);
	if (number && n)
		bh_proc_answer(drv->proc, number, 0, "%s: %u no longer quarantined", drv->proc->name, n);
	else if (number)
		bh_proc_answer(drv->proc, number, -EALREADY, "it is neither held nor failed, and nothing is quarantined");
}

static void
driver_on_request(struct bh_proc *proc, void *state, const struct bh_event *ev, const struct bh_request_args *args)
{
	(void)args;
	if (ev->id == BH_REQ_RELEASE)
		driver_release(state, ev->total);
	else if (ev->id == BH_REQ_SYNC)
		bh_proc_answer(proc, ev->total, 0, "%s: %u parameters reported", proc->name, report_all(state));
}

static int
driver_on_config(struct bh_proc *proc, void *state, const void *config, char *why, size_t cap)
{
	struct bh_driver *drv = state;
	const struct bh_cfg_proc *row = bh_config_proc(&proc->config, proc->slot);
	int r = 0;
	if (drv->desc->on_config && config) {
		r = drv->desc->on_config(drv->data, config, why, cap);
	} else if (config != bh_proc_config(proc)) {
		/* bh-config should have had us restarted. */
		snprintf(why, cap, "bh-%s cannot change its options while it runs", drv->desc->name);
		r = -ENOTSUP;
	}
	if (r == 0 && row && row->max_age_ms)
		drv->max_age_ns = row->max_age_ms * BH_NS_PER_MS;
	return r;
}

static int
driver_prepare(struct bh_driver *drv)
{
	struct bh_proc *proc = drv->proc;
	const struct bh_cfg_proc *row = proc->config.head ? bh_config_proc(&proc->config, proc->slot) : NULL;
	drv->desc = driver_desc;
	drv->cap = proc->dir.record_cap < BH_MAX_PARAMS ? proc->dir.record_cap : BH_MAX_PARAMS;
	if (row && row->params && row->params < drv->cap)
		drv->cap = row->params;
	for (drv->bucket_mask = 16; drv->bucket_mask < drv->cap; drv->bucket_mask *= 2)
		;
	drv->bucket_mask--;
	drv->bucket = calloc(drv->bucket_mask + 1, sizeof(*drv->bucket));
	drv->max_age_ns = (row && row->max_age_ms ? row->max_age_ms : 250) * BH_NS_PER_MS;
	drv->param = calloc(drv->cap ? drv->cap : 1, sizeof(*drv->param));
	drv->data = calloc(1, drv->desc->state_size ? drv->desc->state_size : 1);
	drv->quarantine = bh_seg_section(&proc->private_seg, BH_SEC_QUARANTINE, sizeof(*drv->quarantine), &drv->quarantines);
	for (uint32_t i = 0; i < drv->quarantines; i++)
		drv->quarantine_active |= drv->quarantine[i].active;
	drv->scratch = bh_seg_section(&proc->private_seg, BH_SEC_SCRATCH, 1, &drv->scratch_size);
	if (!drv->param || !drv->data || !drv->bucket)
		return -ENOMEM;
	forget_all(drv);
	return 0;
}

static int
driver_start(struct bh_proc *proc, void *state)
{
	struct bh_driver *drv = state;
	drv->proc = proc;
	int r = driver_prepare(drv);
	if (r < 0)
		return r;
	directory_recall(drv);
	quarantine_predecessor(drv);
	for (unsigned i = 0; drv->desc->params && drv->desc->params[i].name; i++) {
		int64_t id = bh_param_add(drv, &drv->desc->params[i]);
		if (id != i) {
			/* Static ids are the table's indexes: a predecessor of another version had others. */
			directory_loses(drv, 1);
			bh_dir_rebuild(&proc->dir);
			forget_all(drv);
			if (id < 0)
				return (int)id;
			i = UINT32_MAX;
		}
	}
	reported_recall(drv);
	drv->dir_changed = true;
	r = drv->desc->start ? drv->desc->start(drv, drv->data) : 0;
	if (r < 0)
		return r;
	drv->started = true;
	driver_resync(drv, drv->desc->resync_all);
	if (drv->desc->on_ready)
		drv->desc->on_ready(drv->data);
	return 0;
}

static void
driver_stop(struct bh_proc *proc, void *state, bool clean)
{
	struct bh_driver *drv = state;
	(void)proc, (void)clean;
	if (drv->desc && drv->desc->stop && drv->data)
		drv->desc->stop(drv->data);
}

static void
driver_describe(FILE *out)
{
	bh_cfg_describe_max_params(out, driver_desc->max_params);
	bh_cfg_describe_params(out, driver_desc->params);
	bh_cfg_describe_actions(out, driver_desc->actions);
}

static int
driver_standalone(struct bh_proc *proc, int argc, char **argv)
{
	return bh_standalone_prepare(proc, argc, argv, driver_desc->actions);
}

/* A key that is marked live and that nobody takes would be accepted and ignored. Found when the build asks for --describe. */
static void
refuse_idle_keys(const struct bh_driver_desc *desc, const struct bh_cfg_field *f)
{
	for (; f && f->type != BH_CFG_END; f++) {
		if (f->reload == BH_RELOAD_LIVE) {
			fprintf(stderr, "bh-%s: its key %s is marked live, but there is no on_config()\n", desc->name, f->key);
			exit(2);
		}
		if (f->type == BH_CFG_LIST)
			refuse_idle_keys(desc, f->sub);
	}
}

int
bh_driver_main(int argc, char **argv, const struct bh_driver_desc *desc)
{
	static const char *const hists[] = {"stamp-to-apply", NULL};
	static struct bh_proc_ops ops;
	driver_desc = desc;
	if (!desc->on_config)
		refuse_idle_keys(desc, desc->fields);
	ops = (struct bh_proc_ops){
		.kind = desc->name, .role = BH_ROLE_DRIVER, .state_size = sizeof(struct bh_driver), .fields = desc->fields,
		.config_size = desc->config_size, .sandbox = desc->sandbox, .hists = hists, .describe = driver_describe,
		.standalone = driver_standalone, .start = driver_start,
		.stop = driver_stop, .drain = driver_drain, .on_peer = driver_on_peer, .on_config = driver_on_config,
		.on_request = driver_on_request, .before_sleep = driver_before_sleep,
	};
	return bh_proc_main(argc, argv, &ops);
}

/* ------------------------------------------------------------------ small services */

const void *
bh_driver_config(const struct bh_driver *drv)
{
	return bh_proc_config(drv->proc);
}

struct bh_loop *
bh_driver_loop(struct bh_driver *drv)
{
	return drv->proc->loop;
}

struct bh_proc *
bh_driver_proc(struct bh_driver *drv)
{
	return drv->proc;
}

uint32_t
bh_driver_params(const struct bh_driver *drv)
{
	return drv->cap;
}

uint64_t
bh_driver_max_age_ns(const struct bh_driver *drv)
{
	return drv->max_age_ns;
}

const char *
bh_driver_name(const struct bh_driver *drv)
{
	return drv->proc->name;
}

int
bh_health_ok(struct bh_driver *drv)
{
	bh_proc_health(drv->proc, BH_HEALTH_OK, NULL, "%s", "");
	return 0;
}

int
bh_health(struct bh_driver *drv, enum bh_health health, const char *hint, const char *reason, ...)
{
	char text[80];
	va_list ap;
	va_start(ap, reason);
	vsnprintf(text, sizeof(text), reason, ap);
	va_end(ap);
	bh_proc_health(drv->proc, health, hint, "%s", text);
	return 0;
}

int
bh_health_errno(struct bh_driver *drv, enum bh_health health, const char *what)
{
	int e = errno;
	bh_proc_health(drv->proc, health, NULL, "%s: %s", what, strerror(e));
	return -e;
}

struct every {
	int (*fn)(void *data);
	void *data;
};

static void
on_every(void *data)
{
	struct every *e = data;
	e->fn(e->data);
}

int
bh_driver_every_ms(struct bh_driver *drv, uint32_t ms, int (*fn)(void *data), struct bh_timer **out)
{
	struct every *e = malloc(sizeof(*e)); /* lives as long as the process */
	if (!e)
		return -ENOMEM;
	*e = (struct every){fn, drv->data};
	*out = bh_timer_new(drv->proc->loop, on_every, e);
	if (!*out) {
		free(e);
		return -ENOSPC;
	}
	bh_timer_at(*out, bh_mono_ns() + ms * BH_NS_PER_MS, ms * BH_NS_PER_MS);
	return 0;
}

void *
bh_driver_scratch(struct bh_driver *drv, size_t size)
{
	return drv->scratch && size <= drv->scratch_size ? drv->scratch : NULL;
}

int
bh_udp_connect(const char *host, uint16_t port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV}, *ai = NULL;
	char service[8];
	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &ai) != 0)
		return -EHOSTUNREACH;
	int fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		r = -errno;
	freeaddrinfo(ai);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

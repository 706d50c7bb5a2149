/* queue.c - see queue.h */
#include "procs/obs/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"

#define ANSWER_NS (OBS_ANSWER_MS * BH_NS_PER_MS)

struct line_entry {
	struct obs_ask ask;
	uint32_t id;
	size_t len;
	uint8_t bytes[OBS_BODY_MAX];
};

/* Requests that wait as bytes, first come, first served. */
struct line {
	struct line_entry *entry; /* owned */
	uint32_t max, first, count;
};

struct param {
	uint64_t asked_ns;
	bool waiting, in_flight; /* lane VALUE */
	bool is_ready;		 /* stands in the ring */
	bool is_shared;		 /* of a group: others belong, or did, to this one's */
	uint32_t group;
	uint32_t group_in_flight; /* of a group: how many of it are in flight */
	uint64_t waits;		  /* since when, in counts of values */
	uint8_t shows;		 /* in the lane SHOW, in flight or not */
};

struct flight {
	uint32_t id; /* 0 = free */
	struct obs_ask ask;
};

struct obs_queue {
	obs_encode_fn encode;
	void *data; /* borrowed */
	uint32_t params;
	struct param *param;  /* owned */
	uint32_t *ready;      /* owned: ring of parameters that wait and are not in flight */
	uint32_t ready_first, ready_count;
	struct line show, read;
	struct flight flight[OBS_IN_FLIGHT];
	bool show_in_flight;
	uint32_t waiting_values; /* of both lanes */
	uint32_t last_id;
	struct obs_out draft; /* between begin and commit */
	enum obs_lane draft_lane;
	uint32_t draft_id;
	struct obs_queue_counts counts;
	uint8_t draft_bytes[OBS_BODY_MAX], bytes[OBS_BODY_MAX];
};

/* ------------------------------------------------------------------ lines and the ring */

static struct line_entry *
line_at(struct line *l, uint32_t i)
{
	return &l->entry[(l->first + i) % l->max];
}

static struct line_entry *
line_pop(struct line *l)
{
	struct line_entry *e = line_at(l, 0);
	l->first = (l->first + 1) % l->max;
	l->count--;
	return e;
}

static void
make_ready(struct obs_queue *q, uint32_t param)
{
	if (q->param[param].is_ready || q->param[q->param[param].group].group_in_flight)
		return;
	q->param[param].is_ready = true;
	q->ready[(q->ready_first + q->ready_count) % q->params] = param;
	q->ready_count++;
}

/* The one of the group that has waited longest. */
static void
make_group_ready(struct obs_queue *q, uint32_t group)
{
	uint32_t next = UINT32_MAX;
	if (!q->param[group].is_shared)
		next = q->param[group].waiting ? group : UINT32_MAX;
	for (uint32_t i = 0; q->param[group].is_shared && i < q->params; i++)
		if (q->param[i].waiting && q->param[i].group == group && (next == UINT32_MAX || q->param[i].waits < q->param[next].waits))
			next = i;
	if (next != UINT32_MAX)
		make_ready(q, next);
}

static uint32_t
take_ready(struct obs_queue *q)
{
	uint32_t param = q->ready[q->ready_first];
	q->param[param].is_ready = false;
	q->ready_first = (q->ready_first + 1) % q->params;
	q->ready_count--;
	return param;
}

static uint32_t
new_id(struct obs_queue *q)
{
	q->last_id = q->last_id < OBS_ID_MAX ? q->last_id + 1 : 1;
	return q->last_id;
}

/* ------------------------------------------------------------------ life */

struct obs_queue *
obs_queue_new(uint32_t params, obs_encode_fn encode, void *data)
{
	struct obs_queue *q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->encode = encode;
	q->data = data;
	q->params = params;
	q->param = calloc(params ? params : 1, sizeof(*q->param));
	q->ready = calloc(params ? params : 1, sizeof(*q->ready));
	for (uint32_t i = 0; q->param && i < params; i++)
		q->param[i].group = i;
	q->show.max = OBS_SHOW_MAX;
	q->read.max = OBS_READ_MAX;
	q->show.entry = calloc(OBS_SHOW_MAX, sizeof(*q->show.entry));
	q->read.entry = calloc(OBS_READ_MAX, sizeof(*q->read.entry));
	if (!q->param || !q->ready || !q->show.entry || !q->read.entry) {
		obs_queue_free(q);
		errno = ENOMEM;
		return NULL;
	}
	return q;
}

void
obs_queue_free(struct obs_queue *q)
{
	if (!q)
		return;
	free(q->param);
	free(q->ready);
	free(q->show.entry);
	free(q->read.entry);
	free(q);
}

void
obs_queue_group(struct obs_queue *q, uint32_t param, uint32_t group)
{
	if (param >= q->params || group >= q->params || q->param[param].group == group)
		return;
	uint32_t was = q->param[param].group;
	q->param[group].is_shared |= param != group;
	q->param[param].group = group;
	if (q->param[param].in_flight) {
		q->param[was].group_in_flight--;
		q->param[group].group_in_flight++;
		make_group_ready(q, was);
	} else if (q->param[param].waiting) {
		make_ready(q, param);
	}
}

/* ------------------------------------------------------------------ asking */

int
obs_queue_value(struct obs_queue *q, uint32_t param, uint64_t now_ns)
{
	if (param >= q->params)
		return -EINVAL;
	struct param *p = &q->param[param];
	q->counts.values++;
	p->asked_ns = now_ns;
	if (p->waiting) {
		q->counts.conflated++;
		return 0;
	}
	p->waiting = true;
	q->waiting_values++;
	p->waits = q->counts.values;
	make_ready(q, param);
	return 0;
}

/* Write the newest value of `param`; what was written before into the same place is gone, also after a failure. */
static int
write_value(struct obs_queue *q, uint32_t param, uint32_t id, uint8_t bytes[OBS_BODY_MAX], struct obs_ask *ask, size_t *len)
{
	struct obs_out o;
	obs_out_init(&o, bytes, OBS_BODY_MAX);
	int r = q->encode(q->data, param, id, &o, ask);
	if (r == 0 && !obs_out_done(&o))
		r = -EMSGSIZE;
	*len = o.len;
	if (r < 0)
		q->counts.lost_values++;
	return r;
}

/* The value at the end of the show's line, if it is one of `param`. */
static struct line_entry *
last_value_of(struct obs_queue *q, uint32_t param)
{
	struct line_entry *e = q->show.count ? line_at(&q->show, q->show.count - 1) : NULL;
	return e && e->ask.is_value && e->ask.param == param ? e : NULL;
}

int
obs_queue_show_value(struct obs_queue *q, uint32_t param, uint64_t now_ns, uint64_t until_ns)
{
	if (param >= q->params)
		return -EINVAL;
	struct line_entry *e = last_value_of(q, param);
	if (!e && q->show.count == q->show.max) {
		q->counts.full++;
		return -ENOSPC;
	}
	q->counts.values++;
	if (e) {
		q->counts.conflated++;
	} else {
		e = line_at(&q->show, q->show.count++);
		e->id = new_id(q);
		q->param[param].shows++;
		q->waiting_values++;
	}
	e->ask = (struct obs_ask){.lane = OBS_LANE_SHOW, .is_value = true, .param = param, .asked_ns = now_ns, .until_ns = until_ns};
	int r = write_value(q, param, e->id, e->bytes, &e->ask, &e->len);
	if (r < 0) {
		q->show.count--;
		q->param[param].shows--;
		q->waiting_values--;
	}
	return r;
}

struct obs_out *
obs_queue_begin(struct obs_queue *q, enum obs_lane lane, uint32_t *id)
{
	const struct line *l = lane == OBS_LANE_SHOW ? &q->show : &q->read;
	q->draft_id = 0;
	if (l->count == l->max) {
		q->counts.full++;
		return NULL;
	}
	obs_out_init(&q->draft, q->draft_bytes, sizeof(q->draft_bytes));
	q->draft_lane = lane;
	q->draft_id = *id = new_id(q);
	return &q->draft;
}

int
obs_queue_commit(struct obs_queue *q, const struct obs_ask *ask, uint64_t now_ns)
{
	struct line *l = q->draft_lane == OBS_LANE_SHOW ? &q->show : &q->read;
	uint32_t id = q->draft_id;
	q->draft_id = 0;
	if (id == 0 || l->count == l->max)
		return -ENOSPC;
	if (!obs_out_done(&q->draft))
		return -EMSGSIZE;
	struct line_entry *e = line_at(l, l->count++);
	e->id = id;
	e->ask = *ask;
	e->ask.lane = q->draft_lane;
	e->ask.is_value = false;
	e->ask.sent_ns = 0;
	if (e->ask.asked_ns == 0)
		e->ask.asked_ns = now_ns;
	e->len = q->draft.len;
	memcpy(e->bytes, q->draft.buf, e->len);
	return 0;
}

/* ------------------------------------------------------------------ shows whose moment has passed */

/* From the first that is too late on; how many. */
static uint32_t
late_shows(struct obs_queue *q, uint64_t now_ns)
{
	for (uint32_t i = 0; i < q->show.count; i++) {
		uint64_t until = line_at(&q->show, i)->ask.until_ns;
		if (until && now_ns > until)
			return q->show.count - i;
	}
	return 0;
}

static void
forget_value(struct obs_queue *q, const struct obs_ask *ask)
{
	if (!ask->is_value)
		return;
	q->param[ask->param].shows--;
	q->waiting_values--;
}

static void
drop_late(struct obs_queue *q, uint64_t now_ns, obs_dropped_fn dropped)
{
	struct obs_ask gone[OBS_SHOW_MAX];
	uint32_t n = late_shows(q, now_ns);
	q->show.count -= n;
	for (uint32_t i = 0; i < n; i++) {
		gone[i] = line_at(&q->show, q->show.count + i)->ask;
		forget_value(q, &gone[i]);
		q->counts.late++;
		q->counts.late_values += gone[i].is_value;
	}
	for (uint32_t i = 0; dropped && i < n; i++)
		dropped(q->data, &gone[i]);
}

/* ------------------------------------------------------------------ sending */

static void
depart(struct obs_queue *q, uint32_t id, struct obs_ask *ask, uint64_t now_ns)
{
	struct flight *f = q->flight;
	while (f->id)
		f++; /* there is one: in_flight was looked at */
	ask->sent_ns = now_ns;
	f->id = id;
	f->ask = *ask;
	q->counts.sent++;
	if (++q->counts.in_flight > q->counts.in_flight_most)
		q->counts.in_flight_most = q->counts.in_flight;
	if (ask->lane == OBS_LANE_SHOW)
		q->show_in_flight = true;
	if (ask->is_value) {
		q->counts.sent_values++;
		q->waiting_values--;
	}
}

static int
send_line(struct obs_queue *q, struct line *l, uint64_t now_ns, const uint8_t **bytes, size_t *len, struct obs_ask *ask)
{
	struct line_entry *e = line_pop(l);
	*ask = e->ask;
	*bytes = e->bytes;
	*len = e->len;
	depart(q, e->id, ask, now_ns);
	return 1;
}

static int
send_value(struct obs_queue *q, uint64_t now_ns, const uint8_t **bytes, size_t *len, struct obs_ask *ask)
{
	while (q->ready_count > 0) {
		uint32_t param = take_ready(q);
		struct param *p = &q->param[param];
		if (q->param[p->group].group_in_flight)
			continue; /* one of its group has just gone: it waits for that one's answer */
		uint32_t id = new_id(q);
		*ask = (struct obs_ask){.lane = OBS_LANE_VALUE, .is_value = true, .param = param, .asked_ns = p->asked_ns};
		p->waiting = false;
		if (write_value(q, param, id, q->bytes, ask, len) < 0) {
			q->waiting_values--;
			continue;
		}
		*bytes = q->bytes;
		p->in_flight = true;
		q->param[p->group].group_in_flight++;
		depart(q, id, ask, now_ns);
		return 1;
	}
	return 0;
}

int
obs_queue_next(struct obs_queue *q, uint64_t now_ns, const uint8_t **bytes, size_t *len, struct obs_ask *ask, obs_dropped_fn dropped)
{
	drop_late(q, now_ns, dropped);
	if (q->counts.in_flight == OBS_IN_FLIGHT)
		return 0;
	if (q->show.count > 0 && !q->show_in_flight)
		return send_line(q, &q->show, now_ns, bytes, len, ask);
	if (q->counts.in_flight - q->show_in_flight == OBS_IN_FLIGHT - 1)
		return 0;
	if (send_value(q, now_ns, bytes, len, ask))
		return 1;
	return q->read.count > 0 ? send_line(q, &q->read, now_ns, bytes, len, ask) : 0;
}

/* ------------------------------------------------------------------ what comes back */

/* It is no longer in flight; what waited for that may go. */
static void
arrive(struct obs_queue *q, struct flight *f, struct obs_ask *ask)
{
	*ask = f->ask;
	f->id = 0;
	q->counts.in_flight--;
	if (ask->lane == OBS_LANE_SHOW) {
		q->show_in_flight = false;
		if (ask->is_value)
			q->param[ask->param].shows--;
	} else if (ask->is_value) {
		q->param[ask->param].in_flight = false;
		q->param[q->param[ask->param].group].group_in_flight--;
		make_group_ready(q, q->param[ask->param].group);
	}
}

int
obs_queue_answer(struct obs_queue *q, uint32_t id, bool ok, uint64_t now_ns, struct obs_ask *ask)
{
	(void)now_ns;
	for (struct flight *f = q->flight; id && f < q->flight + OBS_IN_FLIGHT; f++)
		if (f->id == id) {
			arrive(q, f, ask);
			q->counts.answered++;
			q->counts.refused += !ok;
			return 1;
		}
	return 0;
}

int
obs_queue_expire(struct obs_queue *q, uint64_t now_ns, struct obs_ask *ask)
{
	for (struct flight *f = q->flight; f < q->flight + OBS_IN_FLIGHT; f++)
		if (f->id && now_ns >= f->ask.sent_ns + ANSWER_NS) {
			arrive(q, f, ask);
			q->counts.expired++;
			return 1;
		}
	return 0;
}

bool
obs_queue_is_busy(const struct obs_queue *q, uint32_t param)
{
	if (param >= q->params)
		return false;
	const struct param *p = &q->param[param];
	return p->waiting || p->in_flight || p->shows > 0;
}

uint64_t
obs_queue_deadline(const struct obs_queue *q)
{
	uint64_t next = 0, at;
	for (const struct flight *f = q->flight; f < q->flight + OBS_IN_FLIGHT; f++)
		if (f->id && (at = f->ask.sent_ns + ANSWER_NS) && (!next || at < next))
			next = at;
	for (uint32_t i = 0; i < q->show.count; i++)
		if ((at = q->show.entry[(q->show.first + i) % q->show.max].ask.until_ns) && (!next || at + 1 < next))
			next = at + 1;
	return next;
}

/* ------------------------------------------------------------------ the end of a connection */

void
obs_queue_reset(struct obs_queue *q, obs_dropped_fn dropped)
{
	struct obs_ask gone[OBS_SHOW_MAX + 1];
	uint32_t n = 0;
	for (struct flight *f = q->flight; f < q->flight + OBS_IN_FLIGHT; f++)
		if (f->id) {
			arrive(q, f, &gone[n]);
			n += gone[n].lane == OBS_LANE_SHOW;
			q->counts.lost++;
		}
	for (; q->show.count > 0; n++) {
		gone[n] = line_pop(&q->show)->ask;
		forget_value(q, &gone[n]);
		q->counts.lost_values += gone[n].is_value;
	}
	for (; q->ready_count > 0; q->counts.lost_values++, q->waiting_values--)
		q->param[take_ready(q)].waiting = false;
	q->read.count = 0;
	q->draft_id = 0;
	for (uint32_t i = 0; dropped && i < n; i++)
		dropped(q->data, &gone[i]);
}

const struct obs_queue_counts *
obs_queue_counts(const struct obs_queue *q)
{
	return &q->counts;
}

bool
obs_queue_balanced(const struct obs_queue *q)
{
	const struct obs_queue_counts *c = &q->counts;
	return c->values == c->sent_values + c->conflated + c->late_values + c->lost_values + q->waiting_values &&
	       c->sent == c->answered + c->expired + c->lost + c->in_flight;
}

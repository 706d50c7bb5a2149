/*
 * values - the parameters: wanted values go out as MIDI, what peers send comes back as reported values
 *
 * In:    wanted values; events at our ports
 * Out:   events; reported values; the directory
 * Fails: a value whose peer is away, or that meets a full queue, is kept and goes out when it can, the newest only
 *
 * Each parameter has one newest raw value, whoever set it. What was sent counts as what the peer has (QLC+ and many a
 * synthesizer never say anything), unless `confirm: echo` waits for the peer to say it itself.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "procs/midi/midi.h"

BH_LOG_TOPIC("midi");

#define SEND_RETRY_MS 5u /* the sequencer's queue is full */

static struct bh_value
value_of(const struct midi_row *r, uint16_t raw)
{
	double number = midi_to_value(&r->map, raw);

	if (r->is_switch)
		return bh_bool(raw > 0);
	return r->map.type == MIDI_PROGRAM ? bh_int(lrint(number)) : bh_float(number);
}

static uint16_t
raw_of(const struct midi_row *r, const struct bh_value *v)
{
	if (r->is_switch)
		return v->i != 0 ? r->on_raw : 0;
	return midi_to_raw(&r->map, v->type == BH_FLOAT ? v->f : (double)v->i);
}

static void
send_again_soon(struct midi *m)
{
	if (!bh_timer_armed(m->send_timer))
		bh_timer_in_ms(m->send_timer, SEND_RETRY_MS);
}

static void
report(struct midi *m, struct midi_row *r)
{
	if (r->id >= 0)
		bh_report(m->drv, (bh_param_id)r->id, r->value);
}

/* It has gone out. */
static void
sent(struct midi *m, struct midi_row *r)
{
	r->unsent = false;
	if (!r->waits_echo)
		report(m, r);
}

static int
row_send(struct midi *m, const struct midi_row *r, const struct midi_addr *to)
{
	struct midi_event ev[MIDI_OUT_MAX];
	int n = midi_map_out(&r->map, r->raw, ev), e = 0;

	for (int i = 0; i < n && e == 0; i++)
		e = midi_seq_send(m->seq, m->set.ports[r->port].seq_port, &ev[i], to);
	return e;
}

/* The steps that the peer was not told yet, in as many messages as it takes; but a heap of them is no knob that was turned. */
static int
steps_send(struct midi *m, struct midi_row *r)
{
	for (int i = 0; i < 16 && r->told != r->value.i; i++) {
		struct midi_event ev = {.kind = MIDI_EV_CONTROL, .channel = r->map.channel, .number = r->map.number};
		int told, e;

		ev.value = midi_relative_out((enum midi_steps)r->cfg->steps, r->value.i - r->told, &told);
		e = midi_seq_send(m->seq, m->set.ports[r->port].seq_port, &ev, NULL);
		if (e < 0)
			return e;
		r->told += told;
	}
	r->told = r->value.i;
	return 0;
}

/* Sends what is newest, and says that the peer has it. -ENOTCONN: its peer is away, it goes out later. */
static int
row_flush(struct midi *m, struct midi_row *r)
{
	int e;

	if (m->seq == NULL || !midi_port_is_reached(&m->set.ports[r->port], MIDI_DIR_OUT)) {
		if (r->map.type != MIDI_RELATIVE)
			return -ENOTCONN;
		r->told = r->value.i; /* turned while nobody listened */
		sent(m, r);
		return 0;
	}
	e = r->map.type == MIDI_RELATIVE ? steps_send(m, r) : row_send(m, r, NULL);
	if (e == -EAGAIN) {
		bh_log_limited(&m->full, BH_LOG_WARN, bh_log_topic, "the sequencer's queue is full; newest values follow");
		send_again_soon(m);
	}
	if (e == 0)
		sent(m, r);
	return e;
}

int
midi_on_value(void *data, bh_param_id id, const struct bh_value *v)
{
	struct midi *m = data;
	uint32_t n = id < m->set.id_count ? m->set.of_id[id] : 0;
	struct midi_row *r;

	if (n == 0)
		return -ENOENT;
	if (n > m->set.row_count)
		return midi_route_switch(m, &m->set.routes[n - m->set.row_count - 1], v->i != 0);
	r = &m->set.rows[n - 1];
	if (!r->is_sent)
		return -EPERM;
	if (r->map.type != MIDI_RELATIVE)
		r->raw = raw_of(r, v);
	r->value = *v; /* not the nearest MIDI step: a fader must not creep after the hand has left it */
	r->known = r->unsent = true;
	return row_flush(m, r);
}

void
midi_values_flush(struct midi *m)
{
	for (uint32_t i = 0; i < m->set.row_count; i++)
		if (m->set.rows[i].unsent && row_flush(m, &m->set.rows[i]) == -EAGAIN)
			return; /* the timer is armed again */
}

void
midi_on_send_again(void *data)
{
	midi_values_flush(data);
}

void
midi_values_tell(struct midi *m, uint32_t port, struct midi_addr peer)
{
	for (uint32_t i = 0; i < m->set.row_count; i++) {
		struct midi_row *r = &m->set.rows[i];

		if (r->port != port || !r->known || !r->is_sent || r->map.type == MIDI_RELATIVE)
			continue;
		if (row_send(m, r, &peer) < 0) {
			r->unsent = true; /* to all, with the next attempt */
			send_again_soon(m);
		} else if (r->unsent) {
			sent(m, r);
		}
	}
}

static void
row_received(struct midi *m, struct midi_row *r, uint16_t raw)
{
	bool same = r->is_switch ? (raw > 0) == (r->raw > 0) : raw == r->raw;

	if (r->map.type == MIDI_RELATIVE) {
		int steps = midi_relative_in((enum midi_steps)r->cfg->steps, raw);

		r->value.i += steps;
		r->told += steps;
		report(m, r);
		return;
	}
	if (r->known && !r->unsent && same) {
		report(m, r); /* it says what it was told: exactly what was wanted */
		return;
	}
	r->raw = raw;
	r->known = true;
	r->unsent = false;
	r->value = value_of(r, raw);
	report(m, r);
}

void
midi_on_pair_due(void *data)
{
	struct midi *m = data;
	uint64_t now = bh_mono_ns();
	bool more = false;
	uint16_t raw;

	for (uint32_t i = 0; i < m->set.row_count; i++) {
		struct midi_row *r = &m->set.rows[i];

		if (midi_pair_due(&r->pair, now, &raw))
			row_received(m, r, raw);
		more |= r->pair.waiting;
	}
	if (more)
		bh_timer_in_ms(m->pair_timer, MIDI_PAIR_NS / BH_NS_PER_MS);
}

static void
event_to_rows(struct midi *m, uint32_t port, const struct midi_event *ev)
{
	const struct midi_set *s = &m->set;
	uint64_t now = bh_mono_ns();
	uint16_t raw;

	for (size_t i = midi_index_find(s->index, s->index_count, (uint16_t)port, ev);
	     midi_index_is(s->index, s->index_count, i, (uint16_t)port, ev); i++) {
		struct midi_row *r = &s->rows[s->index[i].row];

		if (midi_map_in(&r->map, &r->pair, ev, now, &raw))
			row_received(m, r, raw);
		if (r->pair.waiting && !bh_timer_armed(m->pair_timer))
			bh_timer_in_ms(m->pair_timer, MIDI_PAIR_NS / BH_NS_PER_MS + 1);
	}
}

void
midi_values_event(struct midi *m, uint32_t port, const struct midi_event *ev)
{
	struct midi_event data;

	event_to_rows(m, port, ev);
	if (midi_rpn_in(&m->set.ports[port].rpn, ev, &data))
		event_to_rows(m, port, &data);
}

void
midi_values_report(struct midi *m)
{
	for (uint32_t i = 0; i < m->set.row_count; i++)
		if (m->set.rows[i].map.type == MIDI_RELATIVE)
			report(m, &m->set.rows[i]);
	for (uint32_t i = 0; i < m->set.route_count; i++)
		if (m->set.routes[i].id >= 0)
			bh_report(m->drv, (bh_param_id)m->set.routes[i].id, bh_bool(m->set.routes[i].is_on));
}

/* ------------------------------------------------------------------ the directory */

static struct bh_param
row_param(const struct midi_row *r)
{
	bool is_int = r->map.type == MIDI_PROGRAM || r->map.type == MIDI_RELATIVE;
	struct bh_param p = {.name = r->cfg->name,
			     .type = r->is_switch ? BH_BOOL : is_int ? BH_INT : BH_FLOAT,
			     .unit = r->cfg->unit,
			     .min = fmin(r->map.min, r->map.max),
			     .max = fmax(r->map.min, r->map.max),
			     .taper = (enum bh_taper)r->cfg->taper,
			     .access = r->is_sent ? BH_RW : BH_R,
			     .label = r->cfg->label,
			     .backend_id = r->cfg->port};

	if (p.type == BH_FLOAT)
		p.step = (p.max - p.min) / midi_raw_max(r->map.type);
	else if (p.type == BH_BOOL)
		p.min = 0, p.max = 1;
	if (r->map.type == MIDI_RELATIVE)
		p.min = -1e9, p.max = 1e9;
	return p;
}

/* What an earlier life, or the set before, sent or heard is still true as far as we know; `moved` = on another message now. */
static void
row_recall(struct midi *m, struct midi_row *r, enum bh_type type, bool moved)
{
	struct bh_value v;

	r->value = (struct bh_value){.type = type};
	if (r->id < 0 || !bh_reported(m->drv, (bh_param_id)r->id, &v) || v.type != type)
		return;
	r->value = v;
	r->known = true;
	if (r->map.type == MIDI_RELATIVE)
		r->told = v.i;
	else
		r->raw = raw_of(r, &v);
	r->unsent = moved && r->is_sent && r->map.type != MIDI_RELATIVE;
}

static const struct midi_row *
row_before(const struct midi_set *old, const char *name)
{
	for (uint32_t i = 0; i < old->row_count; i++)
		if (strcmp(old->rows[i].cfg->name, name) == 0)
			return &old->rows[i];
	return NULL;
}

static bool
is_same_message(const struct midi_set *old, const struct midi_set *set, const struct midi_row *a, const struct midi_row *b)
{
	return a->map.type == b->map.type && a->map.channel == b->map.channel && a->map.number == b->map.number &&
	       a->map.min == b->map.min && a->map.max == b->map.max && a->is_switch == b->is_switch &&
	       strcmp(old->ports[a->port].cfg->name, set->ports[b->port].cfg->name) == 0;
}

static int
row_publish(struct midi *m, struct midi_row *r, const struct midi_set *old)
{
	struct bh_param p = row_param(r);
	const struct midi_row *was = row_before(old, r->cfg->name);
	bool same = was != NULL && is_same_message(old, &m->set, was, r);

	r->id = bh_param_add(m->drv, &p);
	if (r->id < 0)
		return (int)r->id;
	if (!same) {
		row_recall(m, r, p.type, was != NULL);
		return 0;
	}
	r->pair = was->pair;
	r->known = was->known;
	r->unsent = was->unsent;
	r->value = was->value;
	r->told = was->told;
	r->raw = was->known && r->is_switch ? raw_of(r, &r->value) : was->raw;
	return 0;
}

static struct bh_param
switch_param(const struct midi_route *r)
{
	return (struct bh_param){
		.name = r->cfg->switch_name, .type = BH_BOOL, .max = 1, .access = BH_RW, .label = r->cfg->label};
}

static int
switch_publish(struct midi *m, struct midi_route *r)
{
	struct bh_param p = switch_param(r);
	struct bh_value v;

	if (p.name[0] == '\0')
		return 0;
	r->id = bh_param_add(m->drv, &p);
	if (r->id >= 0 && bh_reported(m->drv, (bh_param_id)r->id, &v) && v.type == BH_BOOL)
		r->is_on = v.i != 0;
	return r->id < 0 ? (int)r->id : 0;
}

static bool
has_name(const struct midi_set *s, const char *name)
{
	for (uint32_t i = 0; i < s->route_count; i++)
		if (strcmp(s->routes[i].cfg->switch_name, name) == 0)
			return true;
	return row_before(s, name) != NULL;
}

uint32_t
midi_params_count(const struct midi_set *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->row_count; i++)
		n += row_param(&s->rows[i]).name[0] != '\0';
	for (uint32_t i = 0; i < s->route_count; i++)
		n += switch_param(&s->routes[i]).name[0] != '\0';
	return n;
}

/* What an earlier configuration had and this one has not is taken out of the directory. The last record of an index counts. */
static void
remove_others(struct midi *m)
{
	struct bh_dir *dir = &bh_driver_proc(m->drv)->dir;
	struct bh_dir_record rec;
	bool seen[BH_MAX_PARAMS] = {false};

	for (uint32_t n = bh_dir_count(dir); n-- > 0;) {
		if (bh_dir_read(dir, n, &rec) < 0 || seen[rec.index])
			continue;
		seen[rec.index] = true;
		if (!(rec.flags & BH_DIR_TOMBSTONE) && !has_name(&m->set, rec.name))
			bh_param_remove(m->drv, rec.index);
	}
}

int
midi_rows_publish(struct midi *m, struct midi_set *old)
{
	int r = 0;

	remove_others(m);
	for (uint32_t i = 0; i < m->set.row_count && r == 0; i++) {
		r = row_publish(m, &m->set.rows[i], old);
		if (r == 0)
			m->set.of_id[m->set.rows[i].id] = i + 1;
	}
	for (uint32_t i = 0; i < m->set.route_count && r == 0; i++) {
		r = switch_publish(m, &m->set.routes[i]);
		if (r == 0 && m->set.routes[i].id >= 0)
			m->set.of_id[m->set.routes[i].id] = m->set.row_count + i + 1;
	}
	return r;
}

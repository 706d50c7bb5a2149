/*
 * missing.c - what the configuration names and its driver does not have
 *
 * A name is missing only while its driver is well: one that is not, or not yet connected, may have it later. Names with a {} are those
 * of banks, whose items come and go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/config/suggest.h"
#include "common/wire/view.h"

#define MISSING_MAX 256u

struct missing_name {
	uint32_t hash;
	const char *name; /* borrowed from the configuration */
	struct bh_cfg_place place;
};

struct missing {
	const struct bh_view *view;
	uint16_t slot;
	uint32_t *have; /* hashes of the names that there are, sorted; borrowed */
	uint32_t haves;
	struct missing_name list[MISSING_MAX];
	uint32_t count;
};

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void
look(struct missing *m, uint16_t driver, uint32_t target, struct bh_cfg_place place)
{
	const char *name = driver == m->slot ? bh_config_str(m->view->config, target) : "";
	uint32_t hash = bh_name_hash(name);
	if (!*name || strstr(name, "{}") || bsearch(&hash, m->have, m->haves, sizeof(hash), by_number))
		return;
	for (uint32_t i = 0; i < m->count; i++)
		if (m->list[i].hash == hash)
			return;
	if (m->count < MISSING_MAX)
		m->list[m->count++] = (struct missing_name){hash, name, place};
}

static void
look_at_all(struct missing *m)
{
	const struct bh_config *c = m->view->config;
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_BINDINGS); i++) {
		const struct bh_cfg_binding *b = bh_config_row(c, BH_TAB_BINDINGS, i);
		if (b->kind != BH_BIND_ACTION)
			look(m, b->driver, b->target, b->place);
		if (b->when.op != BH_COND_ALWAYS)
			look(m, b->when.driver, b->when.target, b->place);
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_STEPS); i++) {
		const struct bh_cfg_step *s = bh_config_row(c, BH_TAB_STEPS, i);
		if (s->kind != BH_STEP_ACTION)
			look(m, s->driver, s->target, s->place);
		if (s->when.op != BH_COND_ALWAYS)
			look(m, s->when.driver, s->when.target, s->place);
	}
	for (uint32_t i = 0; i < bh_config_count(c, BH_TAB_REACTIONS); i++) {
		const struct bh_cfg_reaction *r = bh_config_row(c, BH_TAB_REACTIONS, i);
		look(m, r->when.driver, r->when.target, r->place);
	}
}

/* What was meant by it, in `out`; "" = nothing is near. */
static void
guess(const struct missing *m, const char *name, char out[BH_NAME_MAX + 1])
{
	struct bh_view_params it;
	struct bh_dir_record rec;
	struct bh_suggest s = {.word = name};
	out[0] = '\0'; /* the best so far is copied here: a record lives until the next */
	bh_view_params_init(&it, m->view->slot[m->slot].dir);
	while (bh_view_params_next(&it, &rec)) {
		bh_suggest_offer(&s, rec.name);
		if (s.best != rec.name)
			continue;
		memcpy(out, rec.name, BH_NAME_MAX + 1);
		s.best = out;
	}
}

void
bh_view_put_missing(const struct bh_view *v, uint16_t slot, unsigned most, struct bh_wire_out *o)
{
	static struct missing m;
	static uint32_t have[BH_MAX_PARAMS];
	struct bh_view_params it;
	struct bh_dir_record rec;
	if (!v->config || !v->config->head || slot >= BH_MAX_SLOTS || !v->slot[slot].dir)
		return;
	m = (struct missing){.view = v, .slot = slot, .have = have};
	bh_view_params_init(&it, v->slot[slot].dir);
	while (bh_view_params_next(&it, &rec))
		have[m.haves++] = bh_name_hash(rec.name);
	qsort(have, m.haves, sizeof(have[0]), by_number);
	look_at_all(&m);
	if (!m.count)
		return;
	bh_wire_uint(o, "missing", m.count);
	bh_wire_array(o, "missing_names");
	for (uint32_t i = 0; i < m.count && i < most; i++) {
		char meant[BH_NAME_MAX + 1];
		guess(&m, m.list[i].name, meant);
		bh_wire_map(o, NULL);
		bh_wire_str(o, "name", m.list[i].name);
		bh_wire_str(o, "file", bh_config_str(v->config, v->config->head->file_off));
		bh_wire_uint(o, "line", m.list[i].place.line);
		bh_wire_uint(o, "column", m.list[i].place.column);
		if (*meant)
			bh_wire_str(o, "meant", meant);
		bh_wire_close(o);
	}
	bh_wire_close(o);
}

/* publish.c - see publish.h */
#include "procs/control/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/latch.h"

#define LOOK_MAX 512u /* events of one look: more moved records wait for the next */

void
publisher_init(struct publisher *p, struct endpoint *ep)
{
	*p = (struct publisher){.ep = ep};
	bh_wire_out_init(&p->out);
}

void
publisher_fini(struct publisher *p)
{
	bh_wire_out_fini(&p->out);
	free(p->seen);
	p->seen = NULL;
}

static void
begin(struct publisher *p, const char *kind)
{
	bh_wire_out_reset(&p->out);
	bh_wire_map(&p->out, NULL);
	bh_wire_uint(&p->out, "v", BH_WIRE_VERSION);
	bh_wire_uint(&p->out, "number", ++p->number);
	bh_wire_str(&p->out, "event", kind);
}

static void
end(struct publisher *p, const char *topic)
{
	bh_wire_close(&p->out);
	if (!p->out.failed)
		endpoint_publish(p->ep, topic, p->out.data, p->out.len);
}

static bool
may_match(const char *subscribed, const char *topic)
{
	size_t a = strlen(subscribed), b = strlen(topic);
	return strncmp(subscribed, topic, a < b ? a : b) == 0;
}

static const struct bh_record *
records(const struct bh_view *v, uint32_t *count)
{
	*count = 0;
	return v->state ? bh_seg_section(v->state, BH_SEC_RECORDS, sizeof(struct bh_record), count) : NULL;
}

/* What stands there now counts as told: who subscribes asks `params` and `pages` once, after it. */
static void
start_watching(struct publisher *p, const struct bh_view *v)
{
	uint32_t count;
	const struct bh_record *r = records(v, &count);
	free(p->seen);
	p->seen = calloc(count ? count : 1, sizeof(*p->seen));
	p->seen_count = p->seen ? count : 0;
	for (uint32_t n = 0; n < p->seen_count; n++)
		p->seen[n] = __atomic_load_n(&r[n].turn, __ATOMIC_ACQUIRE);
}

bool
publisher_subscriptions(struct publisher *p, const struct bh_view *v)
{
	char topic[200];
	bool on;
	while (endpoint_subscription(p->ep, &on, topic, sizeof(topic))) {
		if (!may_match(topic, "value/") && !may_match(topic, "page"))
			continue;
		if (on && p->watchers++ == 0)
			start_watching(p, v);
		else if (!on && p->watchers > 0 && --p->watchers == 0) {
			free(p->seen);
			p->seen = NULL;
			p->seen_count = 0;
		}
	}
	return p->watchers > 0;
}

static void
tell_page(struct publisher *p, const struct bh_rec_global *g)
{
	char name[sizeof(g->page_name)];
	snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, g->page_name);
	begin(p, "page");
	bh_wire_uint(&p->out, "page", g->page + 1);
	bh_wire_str(&p->out, "name", name);
	end(p, "page");
}

static bool
tell_value(struct publisher *p, const struct bh_view *v, const struct bh_rec_param *rec)
{
	static struct bh_dir_index index; /* records come driver by driver */
	struct bh_dir_record dir;
	char name[BH_WIRE_NAME_MAX], topic[BH_WIRE_NAME_MAX + 8];
	union bh_val val;
	bool stale;
	const struct bh_dir *d = rec->slot < BH_MAX_SLOTS ? v->slot[rec->slot].dir : NULL;
	if (!d)
		return false;
	bh_dir_index(&index, d);
	if (bh_dir_find(&index, rec->index, &dir) < 0 || bh_name_hash(dir.name) != rec->name_hash || dir.type != rec->type)
		return false;
	enum bh_type type = bh_param_newest(rec, &val, &stale);
	bh_view_param_name(v, rec->slot, &dir, name, sizeof(name));
	begin(p, "value");
	bh_wire_str(&p->out, "name", name);
	bh_view_put_value(&p->out, d, &dir, type, &val);
	bh_wire_bool(&p->out, "stale", stale);
	bh_wire_bool(&p->out, "pending", rec->flags & BH_PAR_PENDING);
	snprintf(topic, sizeof(topic), "value/%s", name);
	end(p, topic);
	return true;
}

unsigned
publisher_look(struct publisher *p, const struct bh_view *v)
{
	union {
		uint8_t tag;
		struct bh_rec_global global;
		struct bh_rec_param param;
		uint8_t data[BH_RECORD_BYTES];
	} rec;
	uint32_t count;
	unsigned told = 0;
	const struct bh_record *r = records(v, &count);
	if (!p->seen)
		return 0;
	if (count != p->seen_count) { /* the router got a fresh segment */
		start_watching(p, v);
		return 0;
	}
	for (uint32_t n = 0; n < count && told < LOOK_MAX; n++) {
		uint64_t turn = __atomic_load_n(&r[n].turn, __ATOMIC_ACQUIRE);
		if (turn == p->seen[n] || !bh_view_state_read(v, n, rec.data))
			continue;
		p->seen[n] = turn;
		if (n == BH_REC_GLOBAL && rec.tag == BH_REC_TAG_GLOBAL) {
			tell_page(p, &rec.global);
			told++;
		} else if (rec.tag == BH_REC_TAG_PARAM) {
			told += tell_value(p, v, &rec.param);
		}
	}
	return told;
}

void
publisher_health(struct publisher *p, const struct bh_view *v, uint16_t slot)
{
	struct bh_proc_body b;
	char hint[160], topic[48];
	if (!bh_view_proc(v, slot, &b))
		return;
	bh_view_hint(&b, hint, sizeof(hint));
	begin(p, "health");
	bh_wire_str(&p->out, "name", b.name);
	bh_wire_str(&p->out, "health", bh_health_name(b.health.health));
	bh_wire_str(&p->out, "reason", b.health.reason);
	bh_wire_str(&p->out, "hint", hint);
	bh_wire_uint(&p->out, "pid", b.alive ? b.pid : 0);
	bh_wire_uint(&p->out, "restarts", b.restarts);
	snprintf(topic, sizeof(topic), "health/%s", b.name);
	end(p, topic);
}

void
publisher_config(struct publisher *p, const struct bh_view *v)
{
	begin(p, "config");
	bh_wire_str(&p->out, "file", v->config && v->config->head ? bh_config_str(v->config, v->config->head->file_off) : "");
	bh_wire_uint(&p->out, "generation", v->config && v->config->head ? v->config->head->generation : 0);
	end(p, "config");
}

/* obs_stage.c - see obs_stage.h */
#include "tests/lib/obs_stage.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "tests/lib/obs_text.h"

#define PARAMS 4096u
#define MAX_AGE_NS BH_NS_PER_S
#define ASKED_MAX 1024u /* what was given up may still be answered */
#define MESSAGE_MAX (256u << 10)

struct text {
	char *s; /* owned */
	size_t len;
	FILE *f; /* owned */
};

struct stage_param {
	bool used;
	struct bh_param desc; /* its texts are owned */
	struct bh_value value;
	unsigned reports;
};

/* A message in flight: what is needed to answer it. */
struct asked {
	uint32_t id;
	char type[64]; /* "" = a batch */
	char *data;    /* owned; of a request, printed */
	uint8_t *bytes; /* owned; of a batch */
	size_t len;
};

struct obs_stage {
	struct obs_config cfg;
	struct obs_sink sink;
	struct obs_model *model;
	struct obs_decoder decoder;
	uint64_t now_ns;
	const struct obs_stage_row *world;
	bool (*on_request)(void *ctx, const char *request, const char *data, struct obs_stage_row *row);
	void *on_request_ctx;
	struct asked asked[ASKED_MAX];
	unsigned in_flight;
	struct text sent, told;
	char *answer; /* owned: what a call has returned last */
	struct stage_param param[PARAMS];
	uint8_t bytes[MESSAGE_MAX];
	char print[MESSAGE_MAX];
};

/* ------------------------------------------------------------------ texts */

static void
text_open(struct text *t)
{
	t->f = open_memstream(&t->s, &t->len);
	ck_assert_ptr_nonnull(t->f);
}

static void
text_close(struct text *t)
{
	fclose(t->f);
	free(t->s);
}

/* What was written since the last call. */
static const char *
text_take(struct obs_stage *s, struct text *t)
{
	fclose(t->f);
	free(s->answer);
	s->answer = t->s;
	text_open(t);
	return s->answer;
}

static const char *
printed(struct obs_stage *s, const msgpack_object *o)
{
	if (!o)
		return "";
	obs_text_print(s->print, sizeof(s->print), o);
	for (char *p = s->print; *p; p++)
		if (*p == '"')
			*p = '\'';
	return s->print;
}

/* ------------------------------------------------------------------ the sink */

static void
forget_texts(struct bh_param *d)
{
	free((void *)(uintptr_t)d->name);
	free((void *)(uintptr_t)d->label);
	free((void *)(uintptr_t)d->unit);
	free((void *)(uintptr_t)d->backend_id);
	for (size_t i = 0; d->choices && d->choices[i]; i++)
		free((void *)(uintptr_t)d->choices[i]);
	free((void *)(uintptr_t)d->choices);
}

static struct bh_param
copied(const struct bh_param *p)
{
	struct bh_param d = *p;
	size_t n = 0;
	ck_assert_msg(p->name && strlen(p->name) <= BH_NAME_MAX, "a parameter's name is too long: %s", p->name ? p->name : "(none)");
	ck_assert_msg(p->type != BH_ENUM || p->choices, "%s: an ENUM without choices", p->name);
	d.name = strdup(p->name);
	d.label = p->label ? strdup(p->label) : NULL;
	d.unit = p->unit ? strdup(p->unit) : NULL;
	d.backend_id = p->backend_id ? strdup(p->backend_id) : NULL;
	while (p->choices && p->choices[n])
		n++;
	const char **c = p->choices ? calloc(n + 1, sizeof(*c)) : NULL;
	for (size_t i = 0; i < n; i++)
		c[i] = strdup(p->choices[i]);
	d.choices = c;
	return d;
}

static struct stage_param *
find(struct obs_stage *s, const char *name)
{
	for (struct stage_param *p = s->param; p < s->param + PARAMS; p++)
		if (p->used && !strcmp(p->desc.name, name))
			return p;
	return NULL;
}

static struct stage_param *
get(struct obs_stage *s, const char *name)
{
	struct stage_param *p = find(s, name);
	ck_assert_msg(p != NULL, "no parameter %s; there are:\n%s", name, obs_stage_list(s, ""));
	return p;
}

static struct stage_param *
by_id(struct obs_stage *s, bh_param_id id)
{
	ck_assert_msg(id < PARAMS && s->param[id].used, "no parameter has the id %u", id);
	return &s->param[id];
}

static int64_t
sink_add(void *ctx, const struct bh_param *d)
{
	struct obs_stage *s = ctx;
	struct stage_param *p = find(s, d->name);
	for (uint32_t i = 0; !p && i < PARAMS; i++)
		if (!s->param[i].used)
			p = &s->param[i];
	if (!p)
		return -ENOSPC;
	struct bh_param copy = copied(d);
	if (p->used)
		forget_texts(&p->desc);
	else
		*p = (struct stage_param){.used = true};
	p->desc = copy;
	return p - s->param;
}

static int
sink_remove(void *ctx, bh_param_id id)
{
	struct stage_param *p = by_id(ctx, id);
	forget_texts(&p->desc);
	*p = (struct stage_param){0};
	return 0;
}

static int
sink_rename(void *ctx, bh_param_id id, const struct bh_param *d)
{
	struct stage_param *p = by_id(ctx, id), *other = find(ctx, d->name);
	ck_assert_msg(!other || other == p, "%s is renamed to %s, which is there", p->desc.name, d->name);
	struct bh_param copy = copied(d);
	forget_texts(&p->desc);
	p->desc = copy;
	return 0;
}

static int
sink_report(void *ctx, bh_param_id id, struct bh_value v)
{
	struct stage_param *p = by_id(ctx, id);
	ck_assert_msg(v.type == p->desc.type, "%s: reported as type %d, it is %d", p->desc.name, v.type, p->desc.type);
	ck_assert_msg(v.type != BH_FLOAT || isfinite(v.f), "%s: %g", p->desc.name, v.f);
	p->value = v;
	p->reports++;
	return 0;
}

static void
sink_meter(void *ctx, bh_param_id id, const double (*levels)[3], unsigned channels)
{
	struct obs_stage *s = ctx;
	fprintf(s->told.f, "meter %s %u", by_id(s, id)->desc.name, channels);
	for (unsigned i = 0; i < channels; i++)
		fprintf(s->told.f, " %g/%g/%g", levels[i][0], levels[i][1], levels[i][2]);
	fputc('\n', s->told.f);
}

static void
sink_value_failed(void *ctx, bh_param_id id, const char *text)
{
	struct obs_stage *s = ctx;
	fprintf(s->told.f, "failed %s: %s\n", id < PARAMS && s->param[id].used ? s->param[id].desc.name : "(gone)", text);
}

static void
sink_action_failed(void *ctx, const struct obs_ask *ask, const char *text)
{
	struct obs_stage *s = ctx;
	fprintf(s->told.f, "failed action %s: %s\n", ask->is_action ? obs_actions[ask->action].name : "(none)", text);
}

static void
sink_note(void *ctx, const char *text)
{
	struct obs_stage *s = ctx;
	fprintf(s->told.f, "note: %s\n", text);
}

/* ------------------------------------------------------------------ life */

struct obs_config
obs_stage_config(void)
{
	return (struct obs_config){.port = 4455, .transforms = true, .settings = true, .stats_ms = 2000, .media_ms = 500,
				   .keepalive_ms = 5000, .meter_decay_db_s = 20, .meter_hold_ms = 1000};
}

struct obs_stage *
obs_stage_new(const struct obs_config *cfg)
{
	struct obs_stage *s = calloc(1, sizeof(*s));
	ck_assert_ptr_nonnull(s);
	s->cfg = obs_stage_config();
	s->now_ns = 1000 * BH_NS_PER_S;
	s->sink = (struct obs_sink){s, sink_add, sink_remove, sink_rename, sink_report, sink_meter,
				    sink_value_failed, sink_action_failed, sink_note};
	text_open(&s->sent);
	text_open(&s->told);
	ck_assert_int_eq(obs_decoder_init(&s->decoder), 0);
	s->model = obs_model_new(cfg ? cfg : &s->cfg, &s->sink, PARAMS);
	ck_assert_ptr_nonnull(s->model);
	return s;
}

static void
forget_one(struct asked *a)
{
	free(a->data);
	free(a->bytes);
}

static void
forget_asked(struct obs_stage *s)
{
	for (unsigned i = 0; i < s->in_flight; i++)
		forget_one(&s->asked[i]);
	s->in_flight = 0;
}

void
obs_stage_free(struct obs_stage *s)
{
	if (!s)
		return;
	ck_assert_msg(obs_queue_balanced(obs_model_queue(s->model)), "the books of the queue do not agree");
	obs_model_free(s->model);
	obs_decoder_fini(&s->decoder);
	for (uint32_t i = 0; i < PARAMS; i++)
		if (s->param[i].used)
			forget_texts(&s->param[i].desc);
	forget_asked(s);
	text_close(&s->sent);
	text_close(&s->told);
	free(s->answer);
	free(s);
}

struct obs_model *
obs_stage_model(struct obs_stage *s)
{
	return s->model;
}

/* ------------------------------------------------------------------ what OBS says */

void
obs_stage_world(struct obs_stage *s, const struct obs_stage_row *table)
{
	s->world = table;
}

void
obs_stage_on_request(struct obs_stage *s, bool (*fn)(void *ctx, const char *request, const char *data, struct obs_stage_row *row), void *ctx)
{
	s->on_request = fn;
	s->on_request_ctx = ctx;
}

static struct obs_stage_row
look_up(struct obs_stage *s, const char *request, const char *data)
{
	struct obs_stage_row row = {0};
	if (s->on_request && s->on_request(s->on_request_ctx, request, data, &row))
		return row;
	for (const struct obs_stage_row *r = s->world; r && r->request; r++)
		if (!strcmp(r->request, request) && (!r->with || strstr(data, r->with)))
			return *r;
	return (struct obs_stage_row){.code = strncmp(request, "Get", 3) ? 100 : 204, .data = strncmp(request, "Get", 3) ? NULL : "not in the world"};
}

/* A message as text, through the decoder. Valid until the next. */
static struct obs_msg
decoded(struct obs_stage *s, const char *json)
{
	struct obs_msg m;
	msgpack_sbuffer b;
	msgpack_packer pk;
	const char *why = NULL;
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	ck_assert_msg(obs_text_pack(&pk, json) == 0, "no JSON: %s", json);
	ck_assert_uint_le(b.size, sizeof(s->bytes));
	memcpy(s->bytes, b.data, b.size);
	size_t len = b.size;
	msgpack_sbuffer_destroy(&b);
	ck_assert_msg(obs_decode(&s->decoder, s->bytes, len, &m, &why) == 0, "%s: %s", why, json);
	return m;
}

static void
print_result(FILE *f, const char *type, const struct obs_stage_row *row)
{
	int code = row->code ? row->code : 100;
	fprintf(f, "'requestType':'%s','requestStatus':{'result':%s,'code':%d", type, code == 100 ? "true" : "false", code);
	if (code != 100 && row->data)
		fprintf(f, ",'comment':\"%s\"", row->data);
	fputc('}', f);
	if (code == 100 && row->data)
		fprintf(f, ",'responseData':%s", row->data);
}

void
obs_stage_event(struct obs_stage *s, const char *type, const char *data)
{
	struct text t;
	text_open(&t);
	fprintf(t.f, "{'d':{'eventType':'%s','eventIntent':1%s%s},'op':5}", type, data ? ",'eventData':" : "", data ? data : "");
	fflush(t.f);
	struct obs_msg m = decoded(s, t.s);
	text_close(&t);
	obs_model_event(s->model, m.event, m.data, s->now_ns);
}

/* ------------------------------------------------------------------ what is sent */

/* A request as it stands in a message, alone or in a batch: a line, and its data printed. */
static const char *
log_request(struct obs_stage *s, const msgpack_object *r, char type[64])
{
	const msgpack_object *data = NULL, *in = NULL, *out = NULL;
	ck_assert(obs_get_str(r, "requestType", type, 64));
	obs_get_map(r, "requestData", &data);
	fprintf(s->sent.f, "%s%s%s", type, data ? " " : "", printed(s, data));
	if (obs_get_map(r, "inputVariables", &in))
		fprintf(s->sent.f, " <- %s", printed(s, in));
	if (obs_get_map(r, "outputVariables", &out))
		fprintf(s->sent.f, " -> %s", printed(s, out));
	fputc('\n', s->sent.f);
	return printed(s, data);
}

static msgpack_unpacked
unpacked(const uint8_t *bytes, size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	msgpack_unpacked_init(&u);
	ck_assert_int_eq(msgpack_unpack_next(&u, (const char *)bytes, len, &off), MSGPACK_UNPACK_SUCCESS);
	ck_assert_uint_eq(off, len);
	return u;
}

static void
on_dropped(void *ctx, const struct obs_ask *ask)
{
	obs_model_dropped(ctx, ask);
}

static void
note_message(struct obs_stage *s, struct asked *a, const uint8_t *bytes, size_t len)
{
	msgpack_unpacked u = unpacked(bytes, len);
	const msgpack_object *d = obs_at(&u.data, "d"), *requests = obs_at(d, "requests");
	char id[16];
	memset(a, 0, sizeof(*a));
	ck_assert(obs_get_str(d, "requestId", id, sizeof(id)));
	a->id = (uint32_t)strtoul(id, NULL, 10);
	if (obs_number(&u.data, "op") == OBS_OP_REQUEST) {
		a->data = strdup(log_request(s, d, a->type));
	} else {
		ck_assert_double_eq(obs_number(&u.data, "op"), OBS_OP_BATCH);
		for (uint32_t i = 0; i < requests->via.array.size; i++) {
			fputs("| ", s->sent.f);
			log_request(s, &requests->via.array.ptr[i], a->type);
		}
		a->type[0] = 0;
		a->bytes = malloc(len);
		a->len = len;
		memcpy(a->bytes, bytes, len);
	}
	msgpack_unpacked_destroy(&u);
}

unsigned
obs_stage_send(struct obs_stage *s)
{
	const uint8_t *bytes;
	size_t len;
	struct obs_ask ask;
	unsigned n = 0;
	while (!obs_model_is_frozen(s->model) && obs_queue_next(obs_model_queue(s->model), s->now_ns, &bytes, &len, &ask, on_dropped) == 1) {
		ck_assert_uint_lt(s->in_flight, ASKED_MAX);
		note_message(s, &s->asked[s->in_flight++], bytes, len);
		n++;
	}
	return n;
}

const char *
obs_stage_sent(struct obs_stage *s)
{
	obs_stage_send(s);
	return text_take(s, &s->sent);
}

unsigned
obs_stage_in_flight(const struct obs_stage *s)
{
	return s->in_flight;
}

/* The answer of a batch: each of its requests as the world says, or the first as `row` says; ends at a refusal if it halts there. */
static void
print_batch(struct obs_stage *s, FILE *f, const struct asked *a, const struct obs_stage_row *row)
{
	msgpack_unpacked u = unpacked(a->bytes, a->len);
	const msgpack_object *requests = obs_at(&u.data, "d/requests");
	bool halts = obs_true(&u.data, "d/haltOnFailure"), refused = false;
	fprintf(f, "{'op':9,'d':{'requestId':'%u','results':[", a->id);
	for (uint32_t i = 0; i < requests->via.array.size && !(halts && refused); i++) {
		const msgpack_object *r = &requests->via.array.ptr[i];
		const char *type = obs_string(r, "requestType");
		struct obs_stage_row one = row && i == 0 ? *row : look_up(s, type, printed(s, obs_at(r, "requestData")));
		fputs(i ? ",{" : "{", f);
		print_result(f, type, &one);
		fputc('}', f);
		refused = one.code && one.code != 100;
	}
	fputs("]}}", f);
	msgpack_unpacked_destroy(&u);
}

static void
print_answer(struct obs_stage *s, FILE *f, const struct asked *a, const struct obs_stage_row *row)
{
	struct obs_stage_row one = row ? *row : look_up(s, a->type, a->data);
	fprintf(f, "{'op':7,'d':{'requestId':'%u',", a->id);
	print_result(f, a->type, &one);
	fputs("}}", f);
}

static void
give_answer(struct obs_stage *s, unsigned nth, const struct obs_stage_row *row)
{
	struct text t;
	struct obs_ask ask;
	ck_assert_msg(nth < s->in_flight, "nothing is in flight to be answered");
	struct asked a = s->asked[nth];
	memmove(&s->asked[nth], &s->asked[nth + 1], (--s->in_flight - nth) * sizeof(a));
	text_open(&t);
	if (a.bytes)
		print_batch(s, t.f, &a, row);
	else
		print_answer(s, t.f, &a, row);
	fflush(t.f);
	forget_one(&a);
	struct obs_msg m = decoded(s, t.s);
	text_close(&t);
	if (m.op == OBS_OP_BATCH_RESPONSE)
		obs_model_batched(s->model, &m, s->now_ns);
	else if (obs_queue_answer(obs_model_queue(s->model), m.result.id, m.result.ok, s->now_ns, &ask) == 1)
		obs_model_answer(s->model, &ask, &m.result, s->now_ns);
}

void
obs_stage_answer(struct obs_stage *s, unsigned nth)
{
	give_answer(s, nth, NULL);
}

void
obs_stage_answer_with(struct obs_stage *s, unsigned nth, int code, const char *data)
{
	struct obs_stage_row row = {.code = code, .data = data};
	give_answer(s, nth, &row);
}

unsigned
obs_stage_answer_all(struct obs_stage *s)
{
	unsigned n = 0;
	while (obs_stage_send(s) > 0 || s->in_flight > 0) {
		ck_assert_msg(n++ < 100000, "it asks again and again:\n%s", obs_stage_sent(s));
		obs_stage_answer(s, 0);
	}
	return n;
}

/* ------------------------------------------------------------------ the picture */

/* Answer each request of a batch. */
static void
print_results(struct obs_stage *s, FILE *f, const msgpack_object *requests)
{
	char type[64];
	for (uint32_t i = 0; i < requests->via.array.size; i++) {
		const char *data = log_request(s, &requests->via.array.ptr[i], type);
		struct obs_stage_row row = look_up(s, type, data);
		fputs(i ? ",{" : "{", f);
		print_result(f, type, &row);
		fputc('}', f);
	}
}

static int
answer_batch(struct obs_stage *s, const struct obs_out *o)
{
	struct text t;
	ck_assert_msg(obs_out_done(o), "a batch that is not whole");
	msgpack_unpacked u = unpacked(o->buf, o->len);
	ck_assert_double_eq(obs_number(&u.data, "op"), OBS_OP_BATCH);
	text_open(&t);
	fprintf(t.f, "{'op':9,'d':{'requestId':'%s','results':[", obs_string(&u.data, "d/requestId"));
	print_results(s, t.f, obs_at(&u.data, "d/requests"));
	fputs("]}}", t.f);
	fflush(t.f);
	struct obs_msg m = decoded(s, t.s);
	int r = obs_model_batch(s->model, &m, s->now_ns);
	text_close(&t);
	msgpack_unpacked_destroy(&u);
	return r;
}

int
obs_stage_connect(struct obs_stage *s)
{
	static uint8_t buf[MESSAGE_MAX];
	struct obs_out o;
	obs_model_begin(s->model, s->now_ns);
	for (uint32_t id = 1;; id++) {
		ck_assert_msg(id < 1000, "the picture does not end");
		obs_out_init(&o, buf, sizeof(buf));
		if (!obs_model_stage(s->model, id, &o, s->now_ns))
			return 0;
		int r = answer_batch(s, &o);
		if (r < 0)
			return r;
	}
}

void
obs_stage_disconnect(struct obs_stage *s)
{
	obs_model_disconnected(s->model);
	forget_asked(s);
}

/* ------------------------------------------------------------------ hands and time */

static struct bh_value
value_of(const struct stage_param *p, double x)
{
	if (p->desc.type == BH_FLOAT)
		return bh_float(x);
	return (struct bh_value){.type = p->desc.type, .i = (int64_t)x};
}

int
obs_stage_set_at(struct obs_stage *s, const char *param, double x, uint64_t stamp_ns)
{
	struct stage_param *p = get(s, param);
	struct bh_value v = value_of(p, x);
	return obs_model_set(s->model, (bh_param_id)(p - s->param), &v, stamp_ns, s->now_ns, MAX_AGE_NS);
}

int
obs_stage_set(struct obs_stage *s, const char *param, double x)
{
	return obs_stage_set_at(s, param, x, s->now_ns);
}

int
obs_stage_set_text(struct obs_stage *s, const char *param, const char *text)
{
	struct stage_param *p = get(s, param);
	struct bh_value v = bh_text(text);
	if (p->desc.type == BH_ENUM) {
		int64_t i = 0;
		while (p->desc.choices[i] && strcmp(p->desc.choices[i], text) != 0)
			i++;
		ck_assert_msg(p->desc.choices[i] != NULL, "%s has no choice %s", param, text);
		v = bh_enum(i);
	}
	return obs_model_set(s->model, (bh_param_id)(p - s->param), &v, s->now_ns, s->now_ns, MAX_AGE_NS);
}

int
obs_stage_action(struct obs_stage *s, const char *name, ...)
{
	struct bh_action a = {.stamp_ns = s->now_ns};
	va_list ap;
	while (obs_actions[a.id].name && strcmp(obs_actions[a.id].name, name) != 0)
		a.id++;
	ck_assert_msg(obs_actions[a.id].name != NULL, "no action %s", name);
	va_start(ap, name);
	for (const char *arg; (arg = va_arg(ap, const char *));) {
		ck_assert_uint_lt(a.argc, BH_ACTION_ARGS);
		a.argv[a.argc++] = arg;
	}
	va_end(ap);
	return obs_model_action(s->model, &a, s->now_ns, MAX_AGE_NS);
}

uint64_t
obs_stage_now(const struct obs_stage *s)
{
	return s->now_ns;
}

void
obs_stage_advance(struct obs_stage *s, unsigned ms)
{
	uint64_t end = s->now_ns + ms * BH_NS_PER_MS;
	for (unsigned i = 0;; i++) {
		ck_assert_msg(i < 100000, "it wants to be called again and again");
		uint64_t next = obs_model_tick(s->model, s->now_ns);
		if (!next || next > end)
			break;
		s->now_ns = next > s->now_ns ? next : s->now_ns + 1;
	}
	s->now_ns = end;
	obs_model_tick(s->model, s->now_ns);
}

/* ------------------------------------------------------------------ what the model has told */

bool
obs_stage_has(struct obs_stage *s, const char *param)
{
	return find(s, param) != NULL;
}

bh_param_id
obs_stage_id(struct obs_stage *s, const char *param)
{
	return (bh_param_id)(get(s, param) - s->param);
}

const struct bh_param *
obs_stage_param(struct obs_stage *s, const char *param)
{
	return &get(s, param)->desc;
}

double
obs_stage_value(struct obs_stage *s, const char *param)
{
	const struct bh_value *v = &get(s, param)->value;
	return v->type == BH_NONE || v->type == BH_TEXT ? (double)NAN : v->type == BH_FLOAT ? v->f : (double)v->i;
}

const char *
obs_stage_text(struct obs_stage *s, const char *param)
{
	static char text[16][BH_TEXT_MAX + 256];
	static unsigned next;
	const struct stage_param *p = get(s, param);
	const struct bh_value *v = &p->value;
	char *to = text[next++ % 16];
	const size_t cap = sizeof(text[0]);
	int64_t choices = 0;
	while (p->desc.choices && p->desc.choices[choices])
		choices++;
	*to = 0;
	switch (v->type) {
	case BH_NONE: break;
	case BH_BOOL: snprintf(to, cap, "%s", v->i ? "true" : "false"); break;
	case BH_FLOAT: snprintf(to, cap, "%g", v->f); break;
	case BH_ENUM:
		ck_assert_msg(v->i >= 0 && v->i < choices, "%s: choice %lld of %lld", param, (long long)v->i, (long long)choices);
		snprintf(to, cap, "%s", p->desc.choices[v->i]);
		break;
	case BH_TEXT: snprintf(to, cap, "%s", v->s); break;
	case BH_INT:
	case BH_TRIGGER: snprintf(to, cap, "%lld", (long long)v->i); break;
	}
	return to;
}

unsigned
obs_stage_reports(struct obs_stage *s, const char *param)
{
	return get(s, param)->reports;
}

unsigned
obs_stage_params(const struct obs_stage *s)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < PARAMS; i++)
		n += s->param[i].used;
	return n;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *
obs_stage_list(struct obs_stage *s, const char *prefix)
{
	static const char *name[PARAMS];
	size_t n = 0;
	struct text t;
	for (uint32_t i = 0; i < PARAMS; i++)
		if (s->param[i].used && !strncmp(s->param[i].desc.name, prefix, strlen(prefix)))
			name[n++] = s->param[i].desc.name;
	qsort(name, n, sizeof(*name), by_text);
	text_open(&t);
	for (size_t i = 0; i < n; i++)
		fprintf(t.f, "%s\n", name[i]);
	fclose(t.f);
	free(s->answer);
	return s->answer = t.s;
}

const char *
obs_stage_told(struct obs_stage *s)
{
	return text_take(s, &s->told);
}

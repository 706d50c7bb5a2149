/*
 * Anything happens in OBS and on the desk, in any order: inputs and filters come, go and are renamed, values move on both sides, events and answers come
 * late and across each other, pictures are taken in the middle of it, the connection breaks. Whenever all has come to rest, the parameters
 * are the objects of OBS, each with the value that OBS has, and who was renamed has kept its id.
 */
#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/obs/model_int.h"
#include "tests/lib/obs_stage.h"

/* ------------------------------------------------------------------ a small OBS */

struct toy_filter {
	char name[32];
	bool on, bypass;
	double db;
};

struct toy_input {
	char name[32];
	bool audio, mute, track[6];
	double db, balance;
	int sync, monitor;
	struct toy_filter filter[3];
	unsigned filters;
	bool known; /* was there at the last rest, with this id */
	bh_param_id id;
};

#define INPUTS 8u
#define EVENTS 4096u

static struct toy_input input[INPUTS];
static unsigned inputs;
static struct { char type[40]; char data[400]; } event[EVENTS];
static unsigned first_event, events;
static bool tells_settings, racing, late;
static struct obs_stage *s;
static struct obs_model *m;
static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

static void emit(const char *type, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
emit(const char *type, const char *fmt, ...)
{
	va_list ap;
	ck_assert_uint_lt(events, EVENTS);
	snprintf(event[events].type, sizeof(event[events].type), "%s", type);
	va_start(ap, fmt);
	vsnprintf(event[events].data, sizeof(event[events].data), fmt, ap);
	va_end(ap);
	events++;
}

static bool
deliver(void)
{
	if (first_event == events) {
		first_event = events = 0;
		return false;
	}
	unsigned n = first_event++;
	obs_stage_event(s, event[n].type, event[n].data);
	return true;
}

static struct toy_input *
toy_find(const char *name)
{
	for (unsigned k = 0; k < inputs; k++)
		if (!strcmp(input[k].name, name))
			return &input[k];
	return NULL;
}

static struct toy_filter *
toy_filter(struct toy_input *i, const char *name)
{
	for (unsigned k = 0; i && k < i->filters; k++)
		if (!strcmp(i->filter[k].name, name))
			return &i->filter[k];
	return NULL;
}

static bool
free_name(char out[32])
{
	static const char *const names[] = {"Mic", "Host", "a/b", "a_b", "a_b~2", "Mic#2", "Music", "Phone", "unnamed", "Tape", "two  words", "\xc3\xa4"};
	snprintf(out, 32, "%s", names[below(BH_ARRAY_LEN(names))]);
	return !toy_find(out);
}

static const char *const monitor_type[] = {"OBS_MONITORING_TYPE_NONE", "OBS_MONITORING_TYPE_MONITOR_ONLY", "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT"};

static void
tell_volume(const struct toy_input *i)
{
	emit("InputVolumeChanged", "{'inputName':'%s','inputVolumeDb':%.3f,'inputVolumeMul':1.0}", i->name, i->db);
}

static void
tell_settings(const struct toy_input *i, const struct toy_filter *f)
{
	if (tells_settings)
		emit("SourceFilterSettingsChanged", "{'sourceName':'%s','filterName':'%s','filterSettings':{'db':%.3f,'bypass':%s}}", i->name, f->name,
		     f->db, f->bypass ? "true" : "false");
}

static void
create_input(void)
{
	struct toy_input *i = &input[inputs];
	char name[32];
	if (inputs == INPUTS || !free_name(name))
		return;
	*i = (struct toy_input){.audio = below(4) != 0, .db = -(double)below(60), .balance = 0.5, .track = {true, true}};
	snprintf(i->name, sizeof(i->name), "%s", name);
	inputs++;
	emit("InputCreated", "{'inputName':'%s','inputKind':'kind_v2','unversionedInputKind':'kind'}", name);
}

static void
remove_input(void)
{
	if (!inputs)
		return;
	unsigned k = below(inputs);
	emit("InputRemoved", "{'inputName':'%s'}", input[k].name);
	input[k] = input[--inputs];
}

static void
rename_input(void)
{
	char name[32];
	if (!inputs || !free_name(name))
		return;
	struct toy_input *i = &input[below(inputs)];
	emit("InputNameChanged", "{'oldInputName':'%s','inputName':'%s'}", i->name, name);
	snprintf(i->name, sizeof(i->name), "%s", name);
}

static void
create_filter(void)
{
	static const char *const names[] = {"Gain", "Gate", "a/b", "a_b"};
	struct toy_input *i = inputs ? &input[below(inputs)] : NULL;
	const char *name = names[below(BH_ARRAY_LEN(names))];
	if (!i || i->filters == BH_ARRAY_LEN(i->filter) || toy_filter(i, name))
		return;
	struct toy_filter *f = &i->filter[i->filters++];
	*f = (struct toy_filter){.on = true, .db = below(2) ? 0 : 3};
	snprintf(f->name, sizeof(f->name), "%s", name);
	emit("SourceFilterCreated",
	     "{'sourceName':'%s','filterName':'%s','filterKind':'toy_filter','filterIndex':0,'filterSettings':{'db':%.3f},"
	     "'defaultFilterSettings':{'db':0.0,'bypass':false}}",
	     i->name, name, f->db);
}

static void
change_filter(void)
{
	struct toy_input *i = inputs ? &input[below(inputs)] : NULL;
	char name[32];
	if (!i || !i->filters)
		return;
	unsigned k = below(i->filters);
	struct toy_filter *f = &i->filter[k];
	switch (below(4)) {
	case 0:
		emit("SourceFilterRemoved", "{'sourceName':'%s','filterName':'%s'}", i->name, f->name);
		*f = i->filter[--i->filters];
		break;
	case 1:
		snprintf(name, sizeof(name), "F%u", below(3));
		if (toy_filter(i, name))
			break;
		emit("SourceFilterNameChanged", "{'sourceName':'%s','oldFilterName':'%s','filterName':'%s'}", i->name, f->name, name);
		snprintf(f->name, sizeof(f->name), "%s", name);
		break;
	case 2:
		f->on = !f->on;
		emit("SourceFilterEnableStateChanged", "{'sourceName':'%s','filterName':'%s','filterEnabled':%s}", i->name, f->name, f->on ? "true" : "false");
		break;
	default:
		if (tells_settings) {
			f->db = -(double)below(30);
			tell_settings(i, f);
		}
	}
}

static void
change_input(void)
{
	struct toy_input *i = inputs ? &input[below(inputs)] : NULL;
	if (!i || !i->audio)
		return;
	switch (below(3)) {
	case 0:
		i->db = -(double)below(100);
		tell_volume(i);
		break;
	case 1:
		i->mute = !i->mute;
		emit("InputMuteStateChanged", "{'inputName':'%s','inputMuted':%s}", i->name, i->mute ? "true" : "false");
		break;
	default:
		i->sync = (int)below(1000) - 500;
		emit("InputAudioSyncOffsetChanged", "{'inputName':'%s','inputAudioSyncOffset':%d}", i->name, i->sync);
	}
}

static void
obs_does_something(void)
{
	static void (*const things[])(void) = {create_input, create_input, remove_input, rename_input, create_filter, change_filter, change_input,
					       change_input, change_input};
	things[below(BH_ARRAY_LEN(things))]();
}

/* ------------------------------------------------------------------ its answers */

static bool
member(const char *data, const char *key, char *out, size_t cap)
{
	char want[48];
	int len = snprintf(want, sizeof(want), "'%s':", key);
	const char *at = strstr(data, want);
	if (!at)
		return false;
	at += len;
	bool quoted = *at == '\'';
	size_t n = quoted ? strcspn(at + 1, "'") : strcspn(at, ",}");
	snprintf(out, cap, "%.*s", (int)n, at + quoted);
	return true;
}

static char answer[16384];

static void
answer_filter(FILE *f, const struct toy_filter *x, bool named)
{
	fprintf(f, "{");
	if (named)
		fprintf(f, "'filterName':'%s',", x->name);
	fprintf(f, "'filterEnabled':%s,'filterIndex':0,'filterKind':'toy_filter','filterSettings':{", x->on ? "true" : "false");
	fprintf(f, "'db':%.3f%s}}", x->db, x->bypass ? ",'bypass':true" : "");
}

static void
answer_get(FILE *f, const char *request, const struct toy_input *i)
{
	if (!strcmp(request, "GetInputVolume"))
		fprintf(f, "{'inputVolumeDb':%.3f,'inputVolumeMul':1.0}", i->db);
	else if (!strcmp(request, "GetInputMute"))
		fprintf(f, "{'inputMuted':%s}", i->mute ? "true" : "false");
	else if (!strcmp(request, "GetInputAudioBalance"))
		fprintf(f, "{'inputAudioBalance':%.3f}", i->balance);
	else if (!strcmp(request, "GetInputAudioSyncOffset"))
		fprintf(f, "{'inputAudioSyncOffset':%d}", i->sync);
	else if (!strcmp(request, "GetInputAudioMonitorType"))
		fprintf(f, "{'monitorType':'%s'}", monitor_type[i->monitor]);
	else if (!strcmp(request, "GetInputAudioTracks")) {
		fprintf(f, "{'inputAudioTracks':{");
		for (int t = 0; t < 6; t++)
			fprintf(f, "%s'%d':%s", t ? "," : "", t + 1, i->track[t] ? "true" : "false");
		fprintf(f, "}}");
	}
}

static void
obs_is_set(const char *request, const char *data, struct toy_input *i)
{
	char text[64];
	if (member(data, "inputVolumeDb", text, sizeof(text))) {
		i->db = strtod(text, NULL);
		tell_volume(i);
	} else if (member(data, "inputMuted", text, sizeof(text))) {
		i->mute = !strcmp(text, "true");
		emit("InputMuteStateChanged", "{'inputName':'%s','inputMuted':%s}", i->name, text);
	} else if (member(data, "inputAudioBalance", text, sizeof(text))) {
		i->balance = strtod(text, NULL);
		emit("InputAudioBalanceChanged", "{'inputName':'%s','inputAudioBalance':%.3f}", i->name, i->balance);
	} else if (member(data, "inputAudioSyncOffset", text, sizeof(text))) {
		i->sync = atoi(text);
		emit("InputAudioSyncOffsetChanged", "{'inputName':'%s','inputAudioSyncOffset':%d}", i->name, i->sync);
	} else if (member(data, "monitorType", text, sizeof(text))) {
		for (int k = 0; k < 3; k++)
			if (!strcmp(text, monitor_type[k]))
				i->monitor = k;
		emit("InputAudioMonitorTypeChanged", "{'inputName':'%s','monitorType':'%s'}", i->name, text);
	} else if (!strcmp(request, "SetInputAudioTracks")) {
		for (int t = 0; t < 6; t++) {
			char key[2] = {(char)('1' + t), 0};
			if (!member(data, key, text, sizeof(text)) || i->track[t] == !strcmp(text, "true"))
				continue;
			i->track[t] = !i->track[t];
			emit("InputAudioTracksChanged", "{'inputName':'%s','inputAudioTracks':{'%s':%s}}", i->name, key, text);
		}
	}
}

static void
filter_is_set(const char *data, struct toy_input *i, struct toy_filter *f)
{
	char text[64];
	if (member(data, "filterEnabled", text, sizeof(text))) {
		bool on = !strcmp(text, "true");
		if (on != f->on)
			emit("SourceFilterEnableStateChanged", "{'sourceName':'%s','filterName':'%s','filterEnabled':%s}", i->name, f->name, text);
		f->on = on;
		return;
	}
	if (member(data, "db", text, sizeof(text)))
		f->db = strtod(text, NULL);
	if (member(data, "bypass", text, sizeof(text)))
		f->bypass = !strcmp(text, "true");
	tell_settings(i, f);
}

#define CAN \
	"{'availableRequests':['GetVersion','GetSceneList','GetInputList','GetInputVolume','GetInputMute','GetInputAudioBalance'," \
	"'GetInputAudioSyncOffset','GetInputAudioMonitorType','GetInputAudioTracks','GetMediaInputStatus','GetSourceFilterList'," \
	"'GetSourceFilter','GetSourceFilterDefaultSettings'%s]}"

static int
answer_lists(FILE *f, const char *request)
{
	if (!strcmp(request, "GetVersion"))
		fprintf(f, CAN, tells_settings ? ",'GetSourceFilterKindList'" : "");
	else if (!strcmp(request, "GetSceneList"))
		fprintf(f, "{'currentProgramSceneName':'One','scenes':[]}");
	else if (!strcmp(request, "GetInputList")) {
		fprintf(f, "{'inputs':[");
		for (unsigned k = 0; k < inputs; k++)
			fprintf(f, "%s{'inputName':'%s','inputKind':'kind_v2','unversionedInputKind':'kind'}", k ? "," : "", input[k].name);
		fprintf(f, "]}");
	} else if (!strcmp(request, "GetSourceFilterDefaultSettings"))
		fprintf(f, "{'defaultFilterSettings':{'db':0.0,'bypass':false}}");
	else if (!strncmp(request, "Get", 3))
		return 204;
	return 100;
}

static int
answer_named(FILE *f, const char *request, const char *data)
{
	char name[64], filter_name[64];
	bool is_filter = member(data, "filterName", filter_name, sizeof(filter_name));
	if (!member(data, "inputName", name, sizeof(name)) && !member(data, "sourceName", name, sizeof(name)))
		return answer_lists(f, request);
	struct toy_input *i = toy_find(name);
	struct toy_filter *x = is_filter ? toy_filter(i, filter_name) : NULL;
	if (!i || (is_filter && !x))
		return 600;
	if (x && !strcmp(request, "GetSourceFilter")) {
		answer_filter(f, x, false);
	} else if (x) {
		filter_is_set(data, i, x);
	} else if (!strcmp(request, "GetSourceFilterList")) {
		fprintf(f, "{'filters':[");
		for (unsigned k = 0; k < i->filters; k++) {
			fprintf(f, "%s", k ? "," : "");
			answer_filter(f, &i->filter[k], true);
		}
		fprintf(f, "]}");
	} else if (!strcmp(request, "GetMediaInputStatus")) {
		fprintf(f, "{'mediaCursor':null,'mediaDuration':null,'mediaState':'OBS_MEDIA_STATE_NONE'}");
	} else if (!i->audio) {
		return 604;
	} else if (!strncmp(request, "Get", 3)) {
		answer_get(f, request, i);
	} else {
		obs_is_set(request, data, i);
	}
	return 100;
}

static bool
on_request(void *ctx, const char *request, const char *data, struct obs_stage_row *row)
{
	char copy[1024];
	(void)ctx;
	snprintf(copy, sizeof(copy), "%s", data);
	if (m->taking && m->stage > 0 && !late) { /* an event is not later than a whole round trip */
		for (late = true; deliver();)
			;
	}
	if (racing && below(6) == 0) { /* in the middle of a batch */
		obs_does_something();
		obs_stage_advance(s, 1);
		while (below(2) && deliver())
			;
	}
	FILE *f = fmemopen(answer, sizeof(answer), "w");
	row->code = answer_named(f, request, copy);
	long len = ftell(f);
	fclose(f);
	answer[len] = '\0';
	row->data = len ? answer : NULL;
	row->request = request;
	return true;
}

/* ------------------------------------------------------------------ the desk */

static void
desk_does_something(void)
{
	for (int tries = 0; tries < 20; tries++) {
		uint32_t id = below(m->params < 400 ? m->params : 400);
		const struct obs_of_param *e = &m->of_param[id];
		if (!e->used || !(obs_kinds[e->kind].access & BH_ACCESS_WRITE) || obs_kinds[e->kind].show)
			continue;
		enum obs_class cls = obs_kinds[e->kind].cls;
		if (cls != OBS_INPUT && cls != OBS_FILTER && cls != OBS_SETTING)
			continue;
		enum bh_type type = e->kind == OBS_K_SETTING ? m->object[e->object].number == 2 ? BH_BOOL : BH_FLOAT : obs_kinds[e->kind].type;
		struct bh_value v = {.type = type, .i = (int64_t)below(2)};
		if (type == BH_FLOAT)
			v = e->kind == OBS_K_BALANCE ? bh_float(below(8) / 8.0) : bh_float(-(double)below(90));
		if (type == BH_INT)
			v.i = (int64_t)below(500);
		if (type == BH_ENUM)
			v.i = (int64_t)below(3);
		obs_model_set(m, id, &v, obs_stage_now(s), obs_stage_now(s), 1000000000);
		return;
	}
}

/* ------------------------------------------------------------------ rest */

static void
expect(const char *path, const char *what, double want)
{
	char param[200];
	snprintf(param, sizeof(param), "%s%s", path, what);
	double is = obs_stage_value(s, param);
	ck_assert_msg(fabs(is - want) < 1e-4, "seed %llu: %s is %g, in OBS it is %g", (unsigned long long)seed, param, is, want);
}

static unsigned
check_input(struct toy_input *i, bool pictured)
{
	char path[BH_NAME_MAX + 1];
	uint32_t n = obs_find(m, OBS_INPUT, OBS_NONE, i->name);
	ck_assert_msg(n != OBS_NONE, "input %s is not known", i->name);
	obs_path(m, n, OBS_K_INPUT_TALLY, path);
	path[strlen(path) - strlen("tally")] = '\0';
	bh_param_id id = obs_param(m, n, OBS_K_INPUT_TALLY);
	ck_assert_msg(!i->known || pictured || id == i->id, "%s has got another id", i->name);
	i->known = true;
	i->id = id;
	unsigned params = 1;
	if (i->audio) {
		expect(path, "volume", i->db);
		expect(path, "mute", i->mute);
		expect(path, "balance", i->balance);
		expect(path, "sync", i->sync);
		expect(path, "monitor", i->monitor);
		expect(path, "track1", i->track[0]);
		expect(path, "track6", i->track[5]);
		params += 12;
	}
	for (unsigned k = 0; k < i->filters; k++) {
		uint32_t f = obs_find(m, OBS_FILTER, n, i->filter[k].name);
		ck_assert_msg(f != OBS_NONE, "filter %s of %s is not known", i->filter[k].name, i->name);
		obs_path(m, f, OBS_K_FILTER_ENABLED, path);
		path[strlen(path) - strlen("enabled")] = '\0';
		expect(path, "enabled", i->filter[k].on);
		expect(path, "db", i->filter[k].db);
		expect(path, "bypass", i->filter[k].bypass);
		params += 3;
	}
	return params;
}

static void
come_to_rest(bool *pictured)
{
	racing = false;
	for (int k = 0; k < 10; k++) {
		while (deliver() || obs_stage_answer_all(s))
			;
		obs_stage_advance(s, 150);
		if (obs_model_wants_picture(m)) {
			ck_assert_int_eq(obs_stage_connect(s), 0);
			*pictured = true;
		}
	}
	unsigned params = 0;
	for (unsigned k = 0; k < inputs; k++)
		params += check_input(&input[k], *pictured);
	const char *list = obs_stage_list(s, "input/");
	unsigned there = 0;
	for (const char *p = list; *p; p++)
		there += *p == '\n';
	ck_assert_msg(there == params, "there are %u parameters for %u:\n%s", there, params, list);
	ck_assert_uint_eq(m->held, 0);
	*pictured = false;
}

static void
take_picture(bool *pictured)
{
	racing = below(2);
	late = false;
	ck_assert_int_eq(obs_stage_connect(s), 0);
	racing = false;
	*pictured = true;
}

static void
live(unsigned steps)
{
	bool pictured = true;
	for (unsigned k = 0; k < steps; k++) {
		unsigned what = below(100);
		if (what < 25)
			obs_does_something();
		else if (what < 45)
			desk_does_something();
		else if (what < 65)
			deliver();
		else if (what < 75)
			obs_stage_send(s);
		else if (what < 94 && obs_stage_in_flight(s))
			obs_stage_answer(s, below(obs_stage_in_flight(s)));
		else if (what < 96)
			obs_stage_advance(s, below(200));
		else if (what == 96 || obs_model_wants_picture(m))
			take_picture(&pictured);
		else if (what == 97 && below(4) == 0) {
			obs_stage_disconnect(s);
			while (below(3))
				obs_does_something();
			first_event = events = 0; /* nobody listens */
			take_picture(&pictured);
		}
		if (k % 60 == 59)
			come_to_rest(&pictured);
	}
}

START_TEST(whatever_happens_parameters_and_values_are_those_of_obs)
{
	seed = 0x9e3779b97f4a7c15ull * (uint64_t)(_i + 1);
	tells_settings = _i % 2;
	s = obs_stage_new(NULL);
	m = obs_stage_model(s);
	obs_stage_on_request(s, on_request, NULL);
	ck_assert_int_eq(obs_stage_connect(s), 0);
	live(2000);
	obs_stage_free(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("obs_model_property");
	TCase *tc = tcase_create("property");
	tcase_add_loop_test(tc, whatever_happens_parameters_and_values_are_those_of_obs, 0, 12);
	suite_add_tcase(suite, tc);
	SRunner *r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}

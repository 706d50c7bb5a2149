/*
 * Actions, cameras and split views on a real OBS: the model, its queue and its connection as bh-obs has them, without the process around
 * them. A connection of the test's own is the witness: what is on air is what OBS draws (GetSourceActive), not what it says.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/units.h"
#include "procs/obs/model.h"
#include "procs/obs/ws.h"
#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/obs_suite.h"
#include "tests/lib/patience.h"

#define PORT 4455
#define PARAMS 2048u
#define STAGE_IDS 0x40000000u

static char *word(const char *s) { return (char *)(uintptr_t)s; }

static struct {
	struct obs_peer *obs;
	struct obs_client *c;
	struct bh_loop *loop;
	struct obs_ws *ws;
	struct obs_model *model;
	struct obs_decoder decoder;
	struct { char name[BH_NAME_MAX + 1]; struct bh_value v; bool used; } param[PARAMS];
	uint32_t stage;
	bool ready;
	char failed[512]; /* what was refused last */
	uint8_t bytes[OBS_WS_SEND_MAX];
} t;

/* ------------------------------------------------------------------ what the model tells */

static int64_t
find(const char *name)
{
	for (uint32_t i = 0; i < PARAMS; i++)
		if (t.param[i].used && !strcmp(t.param[i].name, name))
			return i;
	return -1;
}

static int64_t
sink_add(void *ctx, const struct bh_param *p)
{
	int64_t at = find(p->name);
	(void)ctx;
	for (uint32_t i = 0; at < 0 && i < PARAMS; i++)
		if (!t.param[i].used)
			at = i;
	ck_assert_int_ge(at, 0);
	if (!t.param[at].used)
		t.param[at].v.type = BH_NONE;
	t.param[at].used = true;
	snprintf(t.param[at].name, sizeof(t.param[at].name), "%s", p->name);
	return at;
}

static int
sink_remove(void *ctx, bh_param_id id)
{
	(void)ctx;
	t.param[id].used = false;
	return 0;
}

static int
sink_rename(void *ctx, bh_param_id id, const struct bh_param *p)
{
	(void)ctx;
	snprintf(t.param[id].name, sizeof(t.param[id].name), "%s", p->name);
	return 0;
}

static int
sink_report(void *ctx, bh_param_id id, struct bh_value v)
{
	(void)ctx;
	t.param[id].v = v;
	return 0;
}

static void
sink_meter(void *ctx, bh_param_id id, const double (*levels)[3], unsigned channels)
{
	(void)ctx, (void)id, (void)levels, (void)channels;
}

static void
sink_value_failed(void *ctx, bh_param_id id, const char *text)
{
	(void)ctx;
	snprintf(t.failed, sizeof(t.failed), "%s: %s", t.param[id].name, text);
}

static void
sink_action_failed(void *ctx, const struct obs_ask *ask, const char *text)
{
	(void)ctx;
	snprintf(t.failed, sizeof(t.failed), "%s: %s", obs_actions[ask->action].name, text);
}

static void
sink_note(void *ctx, const char *text)
{
	(void)ctx, (void)text;
}

static const struct obs_sink sink = {NULL, sink_add, sink_remove, sink_rename, sink_report, sink_meter, sink_value_failed, sink_action_failed, sink_note};

/* ------------------------------------------------------------------ the connection */

static void
on_dropped(void *ctx, const struct obs_ask *ask)
{
	(void)ctx;
	obs_model_dropped(t.model, ask);
}

static void
send_stage(void)
{
	struct obs_out o;
	obs_out_init(&o, t.bytes, sizeof(t.bytes));
	t.ready = !obs_model_stage(t.model, STAGE_IDS + ++t.stage, &o, bh_now_ns());
	if (!t.ready)
		ck_assert_int_eq(obs_ws_send(t.ws, o.buf, o.len), 0);
}

static void
on_open(void *data)
{
	(void)data;
}

static void
on_message(void *data, const uint8_t *bytes, size_t len)
{
	struct obs_msg m;
	struct obs_ask ask;
	struct obs_out o;
	const char *why;
	(void)data;
	ck_assert_msg(obs_decode(&t.decoder, bytes, len, &m, &why) == 0, "%s", why);
	if (m.op == OBS_OP_HELLO) {
		obs_out_init(&o, t.bytes, sizeof(t.bytes));
		obs_put_identify(&o, NULL, obs_model_subscriptions(t.model));
		obs_ws_send(t.ws, o.buf, o.len);
	} else if (m.op == OBS_OP_IDENTIFIED) {
		obs_model_begin(t.model, bh_now_ns());
		send_stage();
	} else if (m.op == OBS_OP_EVENT) {
		obs_model_event(t.model, m.event, m.data, bh_now_ns());
	} else if (m.op == OBS_OP_RESPONSE) {
		if (obs_queue_answer(obs_model_queue(t.model), m.result.id, m.result.ok, bh_now_ns(), &ask))
			obs_model_answer(t.model, &ask, &m.result, bh_now_ns());
	} else if (m.op == OBS_OP_BATCH_RESPONSE && !obs_model_batched(t.model, &m, bh_now_ns())) {
		if (obs_model_batch(t.model, &m, bh_now_ns()) < 0)
			obs_model_begin(t.model, bh_now_ns());
		send_stage();
	}
}

static void
on_close(void *data, enum obs_ws_end end, int code, const char *why)
{
	(void)data, (void)end;
	ck_abort_msg("the connection ended: %d %s", code, why);
}

static const struct obs_ws_ops ops = {.on_open = on_open, .on_message = on_message, .on_close = on_close};

static void
on_timer(void *data)
{
	(void)data;
}

static void
pump(void)
{
	const uint8_t *bytes;
	size_t len;
	struct obs_ask ask;
	obs_model_tick(t.model, bh_now_ns());
	while (t.ready && !obs_model_is_frozen(t.model) &&
	       obs_queue_next(obs_model_queue(t.model), bh_now_ns(), &bytes, &len, &ask, on_dropped) == 1)
		obs_ws_send(t.ws, bytes, len);
	bh_loop_step(t.loop, true);
}

/* Poll until it holds; the connection of the driver's side goes on meanwhile. */
#define until(cond)                                                                                                                  \
	do {                                                                                                                         \
		uint64_t end_ = bh_mono_ns() + patience_ms(10000) * BH_NS_PER_MS;                                                    \
		while (!(cond)) {                                                                                                    \
			ck_assert_msg(bh_mono_ns() < end_, "never: %s; refused: %s", #cond, t.failed);                               \
			pump();                                                                                                      \
		}                                                                                                                    \
	} while (0)

/* ------------------------------------------------------------------ the show */

static struct obs_camera_config cameras[2];
static struct obs_config cfg;

static void
setup(void)
{
	static struct bh_timer *timer;
	t.obs = obs_peer_new(PORT, NULL);
	for (const char *const *n = (const char *const[]){"Eye 1", "Eye 2", "Half 1", "Half 2", NULL}; *n; n++)
		obs_peer_colour(t.obs, *n, 0xff0000ff);
	obs_peer_scene(t.obs, "Cam 1", "Eye 1", NULL);
	obs_peer_scene(t.obs, "Cam 2", "Eye 2", NULL);
	obs_peer_scene(t.obs, "Left", "Half 1", "Half 2", NULL);
	obs_peer_start(t.obs);
	t.c = obs_client_open(PORT, NULL, 0);
	cameras[0] = (struct obs_camera_config){word("cam1"), word("Cam 1"), word("Eye 1"), word("Half 1"), true};
	cameras[1] = (struct obs_camera_config){word("cam2"), word("Cam 2"), word("Eye 2"), word("Half 2"), true};
	cfg = (struct obs_config){.transforms = true, .settings = true, .stats_ms = 1000, .media_ms = 250, .split_left = word("Left"),
				  .split_right = word(""), .default_camera = word("cam1")};
	cfg.cameras.items = cameras;
	cfg.cameras.count = 2;
	t.loop = bh_loop_new();
	t.ws = obs_ws_new(t.loop, &ops, NULL);
	t.model = obs_model_new(&cfg, &sink, PARAMS);
	ck_assert(t.loop && t.ws && t.model && obs_decoder_init(&t.decoder) == 0);
	timer = bh_timer_new(t.loop, on_timer, NULL);
	bh_timer_at(timer, bh_mono_ns() + 5 * BH_NS_PER_MS, 5 * BH_NS_PER_MS);
	ck_assert_int_eq(obs_ws_open(t.ws, "127.0.0.1", PORT, false), 0);
	until(t.ready);
}

static void
teardown(void)
{
	obs_ws_free(t.ws);
	obs_model_free(t.model);
	obs_decoder_fini(&t.decoder);
	bh_loop_free(t.loop);
	obs_client_close(t.c);
	obs_peer_free(t.obs);
}

/* 0, or what obs_model_action() said. */
static int
act(const char *name, const char *a, const char *b, const char *c)
{
	struct bh_action x = {.argv = {a, b, c}, .argc = !a ? 0 : !b ? 1 : !c ? 2 : 3, .stamp_ns = bh_now_ns()};
	t.failed[0] = '\0';
	while (obs_actions[x.id].name && strcmp(obs_actions[x.id].name, name) != 0)
		x.id++;
	return obs_model_action(t.model, &x, bh_now_ns(), 10 * BH_NS_PER_S);
}

static bool
is_quiet(void)
{
	const struct obs_queue_counts *n = obs_queue_counts(obs_model_queue(t.model));
	return n->in_flight == 0 && !t.failed[0];
}

static double
value(const char *param)
{
	int64_t at = find(param);
	ck_assert_msg(at >= 0, "no parameter %s", param);
	return t.param[at].v.type == BH_FLOAT ? t.param[at].v.f : t.param[at].v.type == BH_NONE ? NAN : (double)t.param[at].v.i;
}

static bool
is_on_air(const char *source)
{
	return obs_true(obs_client_call(t.c, "GetSourceActive", "{'sourceName': '%s'}", source), "videoActive");
}

static bool
program_is(const char *scene)
{
	return obs_is(obs_client_call(t.c, "GetCurrentProgramScene", NULL), "currentProgramSceneName", scene);
}

static bool
preview_is(const char *scene)
{
	return obs_is(obs_client_call(t.c, "GetCurrentPreviewScene", NULL), "currentPreviewSceneName", scene);
}

static void
studio_mode(void)
{
	ck_assert_int_eq(act("studio-mode", "on", NULL, NULL), 0);
	until(value("studio-mode") == 1 && is_quiet());
	until(preview_is("Cam 1"));
}

START_TEST(a_cut_is_a_cut_and_leaves_every_transition_as_it_was)
{
	obs_client_call(t.c, "SetCurrentSceneTransitionDuration", "{'transitionDuration': 5000}");
	obs_client_call(t.c, "SetSceneSceneTransitionOverride", "{'sceneName': 'Cam 2', 'transitionName': 'Fade', 'transitionDuration': 4000}");
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(act("cut", i % 2 ? "Cam 1" : "Cam 2", NULL, NULL), 0);
		until(is_on_air(i % 2 ? "Eye 1" : "Eye 2") && !is_on_air(i % 2 ? "Eye 2" : "Eye 1") && is_quiet());
	}
	const msgpack_object *o = obs_client_call(t.c, "GetSceneSceneTransitionOverride", "{'sceneName': 'Cam 2'}");
	ck_assert(obs_is(o, "transitionName", "Fade") && obs_number(o, "transitionDuration") == 4000);
	o = obs_client_call(t.c, "GetSceneSceneTransitionOverride", "{'sceneName': 'Cam 1'}");
	ck_assert(!obs_is(o, "transitionName", "Cut"));
	o = obs_client_call(t.c, "GetCurrentSceneTransition", NULL);
	ck_assert(obs_is(o, "transitionName", "Fade") && obs_number(o, "transitionDuration") == 5000);
}
END_TEST

START_TEST(the_preview_is_cut_to_air)
{
	studio_mode();
	ck_assert_int_eq(act("preview", "Cam 2", NULL, NULL), 0);
	ck_assert_int_eq(act("cut", NULL, NULL, NULL), 0); /* at once: OBS has not told the preview yet */
	until(is_on_air("Eye 2") && !is_on_air("Eye 1") && program_is("Cam 2") && is_quiet());
	until(preview_is("Cam 1") && value("transition/active") == 0);
	ck_assert_int_eq(act("transition", "Fade", "100", NULL), 0);
	until(is_on_air("Eye 1") && !is_on_air("Eye 2") && program_is("Cam 1") && is_quiet());
	until(value("transition/active") == 0 && value("transition/duration") == 100);
}
END_TEST

START_TEST(nothing_is_asked_for_that_obs_would_only_say_it_did)
{
	studio_mode();
	obs_client_call(t.c, "SetCurrentSceneTransitionDuration", "{'transitionDuration': 20000}");
	ck_assert_int_eq(act("preview", "Cam 2", NULL, NULL), 0);
	ck_assert_int_eq(act("transition", NULL, NULL, NULL), 0);
	until(value("transition/active") == 1);
	ck_assert_int_lt(act("cut", "Cam 1", NULL, NULL), 0);
	ck_assert_str_eq(t.failed, "cut: OBS is in the middle of a transition");
}
END_TEST

START_TEST(a_camera_chosen_in_a_split_on_air_is_on_air)
{
	studio_mode();
	ck_assert_int_eq(act("split", "left", NULL, NULL), 0);
	until(preview_is("Left") && is_quiet());
	ck_assert_int_eq(act("cut", NULL, NULL, NULL), 0);
	until(program_is("Left") && preview_is("Cam 1") && is_on_air("Half 1") && !is_on_air("Half 2") && value("transition/active") == 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(act("camera", i % 2 ? "cam1" : "cam2", NULL, NULL), 0);
		until(is_on_air(i % 2 ? "Half 1" : "Half 2") && !is_on_air(i % 2 ? "Half 2" : "Half 1") && is_quiet());
		until(preview_is("Cam 1") && program_is("Left") && value("transition/active") == 0);
		ck_assert_double_eq(value("view"), OBS_VIEW_SPLIT_LEFT);
	}
	ck_assert_int_eq(act("split", "exit", NULL, NULL), 0);
	until(value("view") == OBS_VIEW_FULL && preview_is("Cam 1"));
}
END_TEST

static double
transform(const char *member)
{
	return obs_number(obs_at(obs_client_call(t.c, "GetSceneItemTransform", "{'sceneName': 'Cam 1', 'sceneItemId': 1}"), "sceneItemTransform"), member);
}

static void
set(const char *param, double v)
{
	struct bh_value x = bh_float(v);
	int64_t at = find(param);
	ck_assert_msg(at >= 0, "no parameter %s", param);
	ck_assert_int_eq(obs_model_set(t.model, (bh_param_id)at, &x, bh_now_ns(), bh_now_ns(), BH_NS_PER_S), 0);
}

START_TEST(a_camera_is_panned_and_zoomed_and_comes_back)
{
	set("camera/cam1/x", -20);
	until(transform("positionX") == -20 && is_quiet());
	set("camera/cam1/zoom", 200); /* the canvas is 320 x 180 */
	until(transform("scaleX") == transform("scaleY") && transform("positionX") == -200 && transform("positionY") == -90 && is_quiet());
	until(value("camera/cam1/x") == -200 && fabs(value("camera/cam1/zoom") - 200 * transform("scaleX") / transform("scaleX")) < 1);
	set("camera/cam1/move-x", 1);
	until(transform("positionX") > 0);
	set("camera/cam1/move-x", 0);
	until(is_quiet() && fabs(value("camera/cam1/x") - transform("positionX")) < 0.01);
	ck_assert_int_eq(act("nudge-y", "cam1", "5", NULL), 0);
	ck_assert_int_eq(act("nudge-y", "cam1", "5", NULL), 0);
	until(fabs(transform("positionY") - -80) < 0.01 && is_quiet());
	ck_assert_int_eq(act("reset", "cam1", NULL, NULL), 0);
	until(transform("scaleX") == 1 && transform("scaleY") == 1 && is_quiet());
	obs_client_call(t.c, "SetSceneItemTransform", "{'sceneName': 'Cam 1', 'sceneItemId': 1, 'sceneItemTransform': {'positionX': 33.5}}");
	until(value("camera/cam1/x") == 33.5);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		a_cut_is_a_cut_and_leaves_every_transition_as_it_was,
		the_preview_is_cut_to_air,
		nothing_is_asked_for_that_obs_would_only_say_it_did,
		a_camera_chosen_in_a_split_on_air_is_on_air,
		a_camera_is_panned_and_zoomed_and_comes_back,
		NULL,
	};
	return obs_suite_run("obs actions on a real OBS", 120, setup, teardown, tests);
}

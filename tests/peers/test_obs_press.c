/* Keys of a simulated desk, through the whole pipeline, to a real OBS: cuts one after the other, split views, a camera moved by a knob. */
#include <check.h>

#include "tests/lib/obs_rig.h"
#include "tests/lib/obs_suite.h"

static const char options[] = ", cameras: [{id: c1, scene: One, source: Red, split_source: Half 1}, {id: c2, scene: Two, source: Blue, split_source: Half 2}],"
			      " split_left: Left";
static const char bindings[] =
	"      f1: {action: obs/cut, args: [One]}\n"
	"      f2: {action: obs/cut, args: [Two]}\n"
	"      f3: {action: obs/camera, args: [c1], light: obs/camera/c1/tally == program}\n"
	"      f4: {action: obs/camera, args: [c2], light: obs/camera/c2/tally == program}\n"
	"      f5: {action: obs/split, args: [toggle], light: obs/view == split-left}\n"
	"      vpot1: {relative: obs/camera/c1/x}\n";

static struct obs_rig rig;

static void
describe(struct obs_peer *p)
{
	obs_peer_colour(p, "Red", 0xff0000ff);
	obs_peer_colour(p, "Blue", 0xffff0000);
	obs_peer_colour(p, "Half 1", 0xff00ff00);
	obs_peer_colour(p, "Half 2", 0xff00ff00);
	obs_peer_scene(p, "One", "Red", NULL);
	obs_peer_scene(p, "Two", "Blue", NULL);
	obs_peer_scene(p, "Left", "Half 1", "Half 2", NULL);
}

static void
setup(void)
{
	obs_rig_start(&rig, "press", describe, options, bindings);
}

static void
teardown(void)
{
	obs_rig_stop(&rig);
}

#define must_become(cond) ck_assert_msg(pipeline_until(10000, cond), "%s: %s", #cond, pipeline_log(&rig.pl))

static bool
is_on_air(const char *source)
{
	return obs_true(obs_client_call(rig.c, "GetSourceActive", "{'sourceName': '%s'}", source), "videoActive");
}

/* An answer that is not understood would hold up the next for 5 s: it would be late, and never come. */
START_TEST(cuts_follow_each_other)
{
	for (int i = 0; i < 6; i++) {
		simdesk_must(rig.desk, "tap %s", i % 2 ? "f1" : "f2");
		must_become(is_on_air(i % 2 ? "Red" : "Blue") && !is_on_air(i % 2 ? "Blue" : "Red"));
		must_become(obs_rig_is_lit(&rig, i % 2 ? "f3" : "f4") && !obs_rig_is_lit(&rig, i % 2 ? "f4" : "f3"));
	}
}
END_TEST

START_TEST(cameras_are_chosen_in_a_split_view)
{
	simdesk_must(rig.desk, "tap f5");
	must_become(obs_rig_is_lit(&rig, "f5") && is_on_air("Half 1") && !is_on_air("Half 2") && !is_on_air("Red"));
	simdesk_must(rig.desk, "tap f4");
	must_become(is_on_air("Half 2") && !is_on_air("Half 1") && obs_rig_is_lit(&rig, "f4"));
	simdesk_must(rig.desk, "tap f5");
	must_become(!obs_rig_is_lit(&rig, "f5") && is_on_air("Red") && !is_on_air("Half 2"));
}
END_TEST

START_TEST(a_knob_pans_a_camera)
{
	simdesk_must(rig.desk, "turn 1 5");
	must_become(obs_number(obs_client_call(rig.c, "GetSceneItemTransform", "{'sceneName': 'One', 'sceneItemId': 1}"),
			       "sceneItemTransform/positionX") == 10);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {cuts_follow_each_other, cameras_are_chosen_in_a_split_view, a_knob_pans_a_camera, NULL};
	return obs_suite_run("keys to a real OBS", 120, setup, teardown, tests);
}

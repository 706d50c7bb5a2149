/* obs_rig.c - see obs_rig.h */
#include "tests/lib/obs_rig.h"

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "procs/router/taper.h"

enum { POLLED = 8 };

void
obs_rig_start(struct obs_rig *r, const char *name, void (*describe)(struct obs_peer *), const char *options, const char *bindings)
{
	static char yaml[16384];
	char path[512];
	const char *folder = getenv("BH_RECORD");
	memset(r, 0, sizeof(*r));
	r->obs = obs_peer_new(OBS_RIG_PORT, OBS_RIG_PASSWORD);
	describe(r->obs);
	obs_peer_start(r->obs);
	r->c = obs_client_open(OBS_RIG_PORT, OBS_RIG_PASSWORD, OBS_EVENTS_ALL);
	if (folder) {
		snprintf(path, sizeof(path), "%s/%s.tape", folder, name);
		r->recorder = obs_recorder_start(OBS_RIG_PORT + 1, OBS_RIG_PORT, path);
	}
	snprintf(yaml, sizeof(yaml),
		 "bulkhead: 1\n"
		 "surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n"
		 "drivers: {obs: {kind: obs, port: %u, password: %s, stats_ms: 200ms%s}}\n" PIPELINE_PATIENT
		 "router: {" PIPELINE_PATIENT_PRESSES "}\n"
		 "pages:\n"
		 "  - name: Show\n"
		 "    bindings:\n%s",
		 folder ? OBS_RIG_PORT + 1 : OBS_RIG_PORT, OBS_RIG_PASSWORD, options, bindings);
	pipeline_prepare(&r->pl, yaml);
	r->desk = simdesk_start(r->pl.dir, NULL);
	ck_assert_ptr_nonnull(r->desk);
	pipeline_run(&r->pl);
	ck_assert_msg(pipeline_until(20000, pipeline_all_ok(&r->pl)), "not all is ok:\n%s", pipeline_log(&r->pl));
	ck_assert_msg(pipeline_until(20000, !isnan(obs_rig_number(r, "program"))), "no picture of OBS:\n%s", pipeline_log(&r->pl));
	simdesk_must(r->desk, "wait peer; expect quiet for 300ms within 60s; wait motors");
	obs_client_forget(r->c);
}

/* A client of its own: the lines of one are played one after the other. */
void
obs_rig_load(struct obs_rig *r, const char *line)
{
	char program[512], socket[128];
	snprintf(program, sizeof(program), "%s/bh-simdesk", getenv("BH_BIN"));
	snprintf(socket, sizeof(socket), "%s/desk-play.sock", r->pl.dir);
	r->load = fork();
	ck_assert_int_ge(r->load, 0);
	if (r->load == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, program, "--tell", socket, "-e", line, (char *)NULL);
		_exit(127);
	}
}

void
obs_rig_stop(struct obs_rig *r)
{
	if (r->load) {
		kill(r->load, SIGKILL);
		waitpid(r->load, NULL, 0);
	}
	pipeline_stop(&r->pl);
	simdesk_stop(r->desk);
	pipeline_clean(&r->pl);
	obs_client_close(r->c);
	obs_recorder_stop(r->recorder);
	obs_peer_free(r->obs);
}

double
obs_rig_volume(struct obs_rig *r, const char *input)
{
	return obs_number(obs_client_call(r->c, "GetInputVolume", "{'inputName': '%s'}", input), "inputVolumeDb");
}

double
obs_rig_position(struct obs_rig *r, const char *param, double value)
{
	struct bh_dir_record d;
	ck_assert_msg(pipeline_param(&r->pl, "obs", param, &d), "there is no %s", param);
	struct bh_taper_range range = {.taper = d.taper, .min = d.min, .max = d.max, .step = d.step};
	return bh_taper_position(&range, value);
}

bool
obs_rig_fader_agrees(struct obs_rig *r, int fader, const char *input)
{
	char param[160];
	snprintf(param, sizeof(param), "input/%s/volume", input);
	const double pos = obs_rig_position(r, param, obs_rig_volume(r, input));
	/* Two steps of the device, and its stops. */
	return simdesk_do(r->desk, "expect fader %d %.6f +-0.002", fader, pos) == SIMDESK_OK;
}

bool
obs_rig_is_lit(struct obs_rig *r, const char *light)
{
	return simdesk_do(r->desk, "expect led %s on", light) == SIMDESK_OK;
}

bool
obs_rig_mute_agrees(struct obs_rig *r, const char *light, const char *input)
{
	return obs_rig_is_lit(r, light) == obs_true(obs_client_call(r->c, "GetInputMute", "{'inputName': '%s'}", input), "inputMuted");
}

bool
obs_rig_shows(struct obs_rig *r, int strip, const char *line, const char *text)
{
	return simdesk_do(r->desk, "expect strip %d %s \"%s\"", strip, line, text) == SIMDESK_OK;
}

double
obs_rig_number(struct obs_rig *r, const char *param)
{
	return pipeline_number(&r->pl, "obs", param);
}

bool
obs_rig_has_wanted(struct obs_rig *r, const char *input)
{
	char param[160];
	struct bh_cell_body wanted;
	snprintf(param, sizeof(param), "input/%s/volume", input);
	return pipeline_wanted(&r->pl, "obs", param, &wanted) && fabs(obs_rig_volume(r, input) - wanted.v.f) < 1e-3;
}

bool
obs_rig_is_quiet(struct obs_rig *r)
{
	return obs_rig_number(r, "requests/sent") - obs_rig_number(r, "requests/answered") - obs_rig_number(r, "requests/lost") <= POLLED;
}

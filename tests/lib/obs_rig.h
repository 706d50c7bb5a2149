/*
 * obs_rig.h - a show for tests: a real OBS, the whole pipeline with bh-obs on it, a simulated desk, and a witness
 *
 * The driver is called obs, the desk desk, the page Show. `c` is a connection of the test's own: what it sees is the truth. With
 * BH_RECORD=FOLDER the driver's session is kept as FOLDER/NAME.tape. What must be and is not fails the test.
 */
#pragma once

#include "tests/lib/obs_client.h"
#include "tests/lib/obs_peer.h"
#include "tests/lib/obs_tape.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define OBS_RIG_PORT 4455
#define OBS_RIG_PASSWORD "secret123"

struct obs_rig {
	struct obs_peer *obs;
	struct obs_client *c; /* may be closed and opened anew by the test */
	struct pipeline pl;
	struct simdesk *desk;
	struct obs_recorder *recorder;
	pid_t load;
};

/*
 * `describe` says what OBS has; `options` are further ones of the driver, ", key: value", or ""; `bindings` are lines of the page, indented
 * by six. Returns when all is well, and the desk shows it.
 */
void obs_rig_start(struct obs_rig *r, const char *name, void (*describe)(struct obs_peer *), const char *options, const char *bindings);
void obs_rig_stop(struct obs_rig *r);
/* Play this line on the desk beside all else, until the end of the show. */
void obs_rig_load(struct obs_rig *r, const char *line);

/* Is the motor, or cap, of this fader where OBS has the volume of the input? Asks OBS. */
bool obs_rig_fader_agrees(struct obs_rig *r, int fader, const char *input);
/* Is the light on just when OBS has the input muted? */
bool obs_rig_mute_agrees(struct obs_rig *r, const char *light, const char *input);
bool obs_rig_is_lit(struct obs_rig *r, const char *light);
/* Does the strip's line ("upper", "lower") show this? */
bool obs_rig_shows(struct obs_rig *r, int strip, const char *line, const char *text);
double obs_rig_volume(struct obs_rig *r, const char *input); /* OBS's, in dB */
double obs_rig_position(struct obs_rig *r, const char *param, double value); /* of a control, 0 to 1 */
/* A number that the driver reports: "requests/sent". */
double obs_rig_number(struct obs_rig *r, const char *param);
/* Has OBS what the router wants, within what a volume loses as a 32-bit factor? */
bool obs_rig_has_wanted(struct obs_rig *r, const char *input);
/*
 * Nothing waits for an answer but what the driver looks after all the time: at the moment when it tells its books, its questions about
 * statistics and media are often on their way.
 */
bool obs_rig_is_quiet(struct obs_rig *r);

/*
 * obs_stage.h - the model of OBS without OBS: events and answers as texts, a sink that remembers, and a clock that we turn
 *
 *	struct obs_stage *s = obs_stage_new(NULL);
 *	obs_stage_world(s, world); // what it answers
 *	obs_stage_connect(s);	   // the first picture
 *	obs_stage_event(s, "InputVolumeChanged", "{'inputName': 'Mic', 'inputVolumeDb': -6.0, 'inputVolumeMul': 0.5}");
 *	ck_assert_double_eq(obs_stage_value(s, "input/Mic/volume"), -6);
 *	obs_stage_set(s, "input/Mic/mute", 1);
 *	ck_assert_str_eq(obs_stage_sent(s), "SetInputMute {'inputName':'Mic','inputMuted':true}\n");
 *	obs_stage_answer_all(s);
 *
 * JSON as in obs_text.h: single quotes will do, and are what is printed. Whatever makes no sense ends the running test. What is sent
 * goes through the real encoder and is read again; what OBS says goes through the real decoder.
 */
#pragma once

#include "procs/obs/model.h"

struct obs_stage;

/* `cfg` is borrowed; NULL = no cameras, no PTZ targets, defaults. Time stands at 1000 s, nothing is connected. */
struct obs_stage *obs_stage_new(const struct obs_config *cfg);
void obs_stage_free(struct obs_stage *s);
struct obs_model *obs_stage_model(struct obs_stage *s);
/* The configuration that NULL stands for, to be changed and given to obs_stage_new(). */
struct obs_config obs_stage_config(void);

/* ------------------------------------------------------------------ OBS */

/*
 * What it answers to a request: to one of this type whose data contains `with` (as printed; NULL = any). The first row that fits counts; a table
 * ends with {0}. `code` 0 = 100; a code other than 100 is a refusal, and `data` then its comment. Without a row "Get..." is
 * refused with 204 and anything else is answered with 100.
 */
struct obs_stage_row {
	const char *request, *with, *data;
	int code;
};
void obs_stage_world(struct obs_stage *s, const struct obs_stage_row *table); /* borrowed */
/* The same as a function, asked first: false = look into the table. It may fill `row` with what need live until its next call only. */
void obs_stage_on_request(struct obs_stage *s, bool (*fn)(void *ctx, const char *request, const char *data, struct obs_stage_row *row), void *ctx);

/* The first picture, or another one: begin, then each stage, answered as the world says. 0, or what obs_model_batch() said. */
int obs_stage_connect(struct obs_stage *s);
void obs_stage_disconnect(struct obs_stage *s);
void obs_stage_event(struct obs_stage *s, const char *type, const char *data); /* data may be NULL */
/* Send what may go out and answer it as the world says, the oldest first, until there is nothing more. How many. */
unsigned obs_stage_answer_all(struct obs_stage *s);
/* Send what may go out; nothing is answered. How many. */
unsigned obs_stage_send(struct obs_stage *s);
/*
 * Answer the oldest (0), the second oldest (1) ... of what is in flight: as the world says, or with this code and data (a comment unless
 * the code is 100); of a batch its first request.
 */
void obs_stage_answer(struct obs_stage *s, unsigned nth);
void obs_stage_answer_with(struct obs_stage *s, unsigned nth, int code, const char *data);
unsigned obs_stage_in_flight(const struct obs_stage *s);

/*
 * The requests sent since the last call, a line each: "SetInputMute {'inputName':'Mic','inputMuted':true}\n". It sends first what may go out. Of
 * a picture each request is a line; of any other batch, too, with "| " in front and its variables behind: " <- {in} -> {out}". Valid until the next call.
 */
const char *obs_stage_sent(struct obs_stage *s);

/* ------------------------------------------------------------------ hands and time */

/* A wanted value by a hand of this moment, by number, choice or text; the result is obs_model_set()'s. */
int obs_stage_set(struct obs_stage *s, const char *param, double x);
int obs_stage_set_text(struct obs_stage *s, const char *param, const char *text); /* of an ENUM: its choice */
int obs_stage_set_at(struct obs_stage *s, const char *param, double x, uint64_t stamp_ns);
/* An action by name, up to six arguments, NULL at the end. The result is obs_model_action()'s. */
int obs_stage_action(struct obs_stage *s, const char *name, ...) __attribute__((sentinel));

uint64_t obs_stage_now(const struct obs_stage *s);
/* Time passes; obs_model_tick() is called when it wants to be, and what is due then expires. Nothing is sent by that. */
void obs_stage_advance(struct obs_stage *s, unsigned ms);

/* ------------------------------------------------------------------ what the model has told */

bool obs_stage_has(struct obs_stage *s, const char *param);
bh_param_id obs_stage_id(struct obs_stage *s, const char *param);
/* As it was described last; its texts and choices are copies. */
const struct bh_param *obs_stage_param(struct obs_stage *s, const char *param);
/* Reported last; NAN = nothing yet. BOOL 0 and 1, ENUM its number. */
double obs_stage_value(struct obs_stage *s, const char *param);
/* The same as text: "-6", "true", the choice's name, the text; "" = nothing yet. One of 16 static buffers. */
const char *obs_stage_text(struct obs_stage *s, const char *param);
unsigned obs_stage_reports(struct obs_stage *s, const char *param); /* how many */
unsigned obs_stage_params(const struct obs_stage *s);
/* Names of all parameters that begin with `prefix`, sorted, a line each. Valid until the next call. */
const char *obs_stage_list(struct obs_stage *s, const char *prefix);
/* Since the last call, a line each: "failed input/Mic/volume: why", "failed action cut: why", "note: text", "meter input/Mic/meter 2". */
const char *obs_stage_told(struct obs_stage *s);

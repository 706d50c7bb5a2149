/*
 * obs_peer.h - a real OBS for tests: headless under Xvfb, in a network namespace of the test's own
 *
 * OBS listens on all addresses and cannot be told otherwise, so the test program first moves into a network of its own,
 * where there is only the loop-back device; what it starts from then on (the pipeline under test, too) is there with it.
 * All files are in a folder of the peer; a guard ends OBS and Xvfb and removes the folder if the test dies. Needs no check; what
 * must be and is not aborts with a message.
 *
 *	const char *why = obs_peer_prepare(); // in main(); not NULL: print "skipped: why" and return 77
 *	struct obs_peer *obs = obs_peer_new(4455, "secret123");
 *	obs_peer_colour(obs, "Red", 0xff0000ff);
 *	obs_peer_tone(obs, "Mic", 440, 0.25);
 *	obs_peer_scene(obs, "Scene 1", "Red", "Mic", NULL);
 *	obs_peer_start(obs);
 *	struct obs_client *c = obs_client_open(4455, "secret123", OBS_EVENTS_ALL);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct obs_peer;

/* Enter a network of our own, and see that everything is installed. NULL, or why there can be no OBS. Once, before any thread. */
const char *obs_peer_prepare(void);

/* Password NULL: none is asked for. Frees it all, with what is still running. NULL is fine. */
struct obs_peer *obs_peer_new(uint16_t port, const char *password);
void obs_peer_free(struct obs_peer *p);
void obs_peer_set_port(struct obs_peer *p, uint16_t port); /* for the next start */
void obs_peer_set_password(struct obs_peer *p, const char *password);

/*
 * What there is: inputs, then scenes, that hold inputs and scenes (bottom first, NULL-ended). The first scene is in program. Colours are
 * 0xAABBGGRR; a tone is a sine of that amplitude, stereo, for ever; a media source ends after so many seconds.
 */
void obs_peer_colour(struct obs_peer *p, const char *name, uint32_t abgr);
void obs_peer_tone(struct obs_peer *p, const char *name, unsigned hz, double amplitude);
void obs_peer_media(struct obs_peer *p, const char *name, unsigned seconds);
/* Any other input; settings are JSON. */
void obs_peer_input(struct obs_peer *p, const char *name, const char *kind, const char *settings);
void obs_peer_filter(struct obs_peer *p, const char *source, const char *name, const char *kind, const char *settings);
void obs_peer_scene(struct obs_peer *p, const char *name, ...) __attribute__((sentinel));
void obs_peer_add_item(struct obs_peer *p, const char *scene, const char *item); /* on top */
/* A group, to be an item of a scene. */
void obs_peer_group(struct obs_peer *p, const char *name, ...) __attribute__((sentinel));
/* In the description, for the next start: of an input or a scene; the volume of an input as a factor. */
void obs_peer_rename(struct obs_peer *p, const char *from, const char *to);
void obs_peer_remove(struct obs_peer *p, const char *name);
void obs_peer_volume(struct obs_peer *p, const char *name, double volume);

/* Start it as described, whatever it saved before; returns when its port answers (must). Also after a kill. */
void obs_peer_start(struct obs_peer *p);
/* The same, on the files that it left. */
void obs_peer_start_again(struct obs_peer *p);
/* SIGKILL, and wait for its end. */
void obs_peer_kill(struct obs_peer *p);
/* SIGSTOP, SIGCONT. */
void obs_peer_suspend(struct obs_peer *p);
void obs_peer_resume(struct obs_peer *p);

pid_t obs_peer_pid(const struct obs_peer *p); /* 0: does not run */
uint16_t obs_peer_port(const struct obs_peer *p);
const char *obs_peer_password(const struct obs_peer *p); /* may be NULL */
const char *obs_peer_dir(const struct obs_peer *p); /* "rec" in it is where it records to */
/* The end of its log. Static. */
const char *obs_peer_log(const struct obs_peer *p);

/* verbs.c - the table of verbs and options: usage, completion and man page are generated from it */
#include <string.h>

#include "supervisor/ctl/ctl.h"

#define JSON CTL_OPT_JSON

/* clang-format off */
const struct ctl_option_row ctl_options[] = {
	{CTL_OPT_JSON,    "json",    0,   NULL,     "print JSON instead of text"},
	{CTL_OPT_RUNTIME, "runtime", 0,   "DIR",    "the runtime folder of the pipeline meant (also BULKHEAD_RUNTIME_DIR)"},
	{CTL_OPT_HELP,    "help",    'h', NULL,     "help, of the verb if one is given"},
	{CTL_OPT_CONFIG,  "config",  'c', "FILE",   "the configuration"},
	{CTL_OPT_SIGNAL,  "signal",  's', "SIGNAL", "a name such as KILL, SEGV, STOP, or a number (default TERM)"},
	{CTL_OPT_ALL,     "all",     0,   NULL,     "stop: the whole pipeline; learn: one after the other"},
	{CTL_OPT_LAST,    "last",    'n', "N",      "begin with the last N events that are still in memory"},
	{CTL_OPT_ONCE,    "once",    0,   NULL,     "show what is there and leave"},
	{CTL_OPT_TIMEOUT, "timeout", 0,   "SECONDS", "how long to wait; 0 = for ever"},
	{CTL_OPT_SURFACE, "surface", 0,   "SURFACE", "the surfaces that turn their pages with this one; else the main ones"},
	{CTL_OPT_SECRETS, "secrets", 0,   NULL,     "show passwords and the like, too"},
	{CTL_OPT_AGAINST, "against", 0,   "WHAT",   "running: say what would be different from the configuration that runs"},
	{CTL_OPT_PROFILE, "profile", 0,   "NAME",   "start with this profile, whichever was chosen last; default = the file itself"},
	{CTL_OPT_WATCH,   "watch",   0,   "MS",     "then show for so long what the device says"},
	{CTL_OPT_BATCH,   "batch",   0,   NULL,     "ask and show nothing on the way"},
	{CTL_OPT_SHOW,    "show",    0,   NULL,     "show what is in use"},
	{CTL_OPT_RESET,   "reset",   0,   NULL,     "forget what was measured: as the configuration says"},
	{CTL_OPT_OUTPUT,  "output",  'o', "FILE",   "the file to write"},
	{CTL_OPT_FORCE,   "force",   0,   NULL,     "write it anew if it is there"},
	{CTL_OPT_PORTS,   "ports",   0,   "LIST",   "where to look: obs=4455,qlcplus=9999,mqtt=1883; 0 looks for none"},
	{CTL_OPT_UPGRADE, "upgrade", 0,   NULL,     "with the program that stands on the disk now, if that runs"},
	{CTL_OPT_SECURITY, "security", 0, NULL,    "what of the confinement of each process holds, what its kernel lacks, and what each may do and why"},
	{CTL_OPT_AS,      "as",      0,   "FORM",   "bash, zsh, fish: completion; scd: part of the manual page"},
};

const struct ctl_verb ctl_verbs[] = {
	{"run", "", 0, 0, CTL_OPT_CONFIG | CTL_OPT_PROFILE, NULL, "Run", "check the configuration and run the pipeline in the foreground",
	 "Without *-c*, the file is ~/.config/bulkhead/bulkhead.yaml, else /etc/bulkhead/bulkhead.yaml. If a profile was chosen while that file ran, it starts with the profile. Nothing is ever asked. A configuration with errors is not run (exit 5). SIGTERM ends the pipeline, SIGHUP reloads the file.", verb_run},
	{"check", "FILE", 1, 1, JSON | CTL_OPT_AGAINST, "file", "Run", "check a configuration without running it: all errors at once",
	 NULL, verb_check},
	{"setup", "", 0, 0, JSON | CTL_OPT_OUTPUT | CTL_OPT_FORCE | CTL_OPT_PORTS, NULL, "Run", "look for desks and backends, and write a configuration to begin with",
	 "Looks for control surfaces among the sound cards, for clients of the ALSA sequencer, and on this machine alone for OBS, QLC+, an MQTT broker, PipeWire and media players, for at most 300 ms. Asks for nothing but passwords, and only on a terminal. What was found and has no driver yet stands in the file as a comment. Without *-o*, the file is ~/.config/bulkhead/bulkhead.yaml. An existing file is left alone without *--force*. A file with a password in it can be read by you alone.", verb_setup},
	{"reload", "[FILE]", 0, 1, JSON, "file", "Run", "take the changed configuration, or another file, into use",
	 "Says what is different, and which processes are restarted for it; all others go on. A wrong configuration changes nothing: its errors are printed, exit 5. A file that changes is taken without this, too (option *watch* of *supervisor:*).", verb_reload},
	{"import", "xtouch-gw FILE [OUT]", 2, 3, 0, "file", "Run", "convert a configuration of XTouch-GW into one of ours",
	 "Ours goes to OUT (which must not be there yet) and is checked, or to the standard output. What has no counterpart stands in it as a comment where it was, and is told with line and reason.", verb_import},
	{"profile", "[NAME]", 0, 1, JSON, NULL, "Run", "the named configurations, a star before that in use; or go over to one",
	 "Profiles are files *profiles/NAME.yaml* beside the file that Bulkhead was started with, which itself is the profile *default*. One with errors is not taken (exit 5). The choice holds over a restart.", verb_profile},
	{"config", "show|history|diff|restore [N [M]]", 1, 3, JSON | CTL_OPT_SECRETS, "show history diff restore", "Run", "the configurations that were in use, the last 50",
	 "*show* prints the one in use, or version N. *history* lists them, a star before that in use. *diff* shows what is different in the one in use from the one before, or from N, or from N to M. *restore* puts N back into its file, after checking it, and takes it into use; what was in the file is kept. Passwords are left out unless *--secrets* is given.", verb_config},
	{"status", "[NAME]", 0, 1, JSON | CTL_OPT_SECURITY, "processes", "Look", "health, reason and hint of all processes, or all about one",
	 "Exit 3 if one that should be well is not. A process that a person has stopped or held is well, unless it is asked for by name. Works while bh-control, the supervisor or the keeper is down: then it reads shared memory itself, says so, and exits 3. *--security* shows what each process has given up before it read a word of another: the mechanisms that hold, those that this kernel does not have, and its profile, a line each with its reason (all of it for one NAME).", verb_status},
	{"monitor", "[NAME]", 0, 1, JSON | CTL_OPT_LAST | CTL_OPT_ONCE, "processes", "Look", "what happens, in plain words, until interrupted",
	 "Reads the rings in shared memory as a third party: the pipeline does not notice. Meters are left out; *trace* shows them.", verb_monitor},
	{"trace", "NAME", 1, 1, JSON | CTL_OPT_LAST | CTL_OPT_ONCE, "processes", "Look", "every event into and out of one process, decoded",
	 "Begins with the last 20 events. A ring keeps its last events when its process is dead: it is the flight recorder.", verb_trace},
	{"learn", "[SURFACE]", 0, 1, JSON | CTL_OPT_ALL | CTL_OPT_TIMEOUT, "processes", "Look", "wait for a hand; tell what it moved, and a line of configuration for it",
	 "Tells the control's name and kind, what it is bound to on the page shown and in which line of the file, and a line to paste under *bindings:*, with a parameter that is there and fits. Waits 30 seconds; with *--all* it goes on until interrupted. What the hand does has its effect all the same.", verb_learn},
	{"explain", "CONTROL", 1, 1, JSON, "controls", "Look", "why a control shows what it shows",
	 "Its bindings on the page and layers shown, with file and line; its parameter with the last value each way, how old it is and who set it; what is shown; and why. Reads shared memory itself, so it works while bh-control is down.", verb_explain},
	{"latency", "[NAME]", 0, 1, JSON | CTL_OPT_TIMEOUT, "processes", "Look", "how long events take from the hand to router and drivers",
	 "From the processes' own histograms, since each was started; with *--timeout* of what happens from now on for so long. Quantiles are the upper edges of buckets 3 % wide.", verb_latency},
	{"start", "NAME", 1, 1, 0, "processes", "Processes", "start a process that is stopped", NULL, verb_start},
	{"stop", "NAME", 0, 1, CTL_OPT_ALL, "processes", "Processes", "stop a process; it stays stopped", "With *--all*, the whole pipeline ends.", verb_stop},
	{"restart", "NAME", 1, 1, CTL_OPT_UPGRADE, "processes", "Processes", "stop a process and start it again",
	 "With *--upgrade*, the program on the disk is started beside the one that runs; only when it is ready the old one leaves. If it cannot be started, nothing happens; if it dies or is not ready within its first seconds, the old program comes back. Also of *supervisor*.", verb_restart},
	{"hold", "NAME", 1, 1, 0, "processes", "Processes", "take a process out: not started again until released", NULL, verb_hold},
	{"release", "NAME", 1, 1, 0, "processes", "Processes", "end hold and quarantine, and start it", NULL, verb_release},
	{"kill", "NAME", 1, 1, CTL_OPT_SIGNAL, "processes", "Processes", "send a signal, to rehearse what happens then",
	 "Also to *supervisor* and *keeper*: each brings the other back, and nothing else notices.", verb_kill},
	{"pages", "", 0, 0, JSON, NULL, "Show", "the pages; a star marks the one shown", "Surfaces with pages of their own are told below, with the page that they show.", verb_pages},
	{"page", "PAGE", 1, 1, CTL_OPT_SURFACE, "pages", "Show", "turn to a page: its name or number, next, previous, or back",
	 "*back* is the page that was shown before.", verb_page},
	{"params", "[GLOB]", 0, 1, JSON, "params", "Show", "parameters with their values: \"loop/*/mute\"",
	 "A value may be marked: wanted but not confirmed by its driver, stale (from a snapshot), refused, or of a driver that is down.", verb_params},
	{"get", "PARAM", 1, 1, JSON, "params", "Show", "one parameter: value, wanted, reported, range", NULL, verb_get},
	{"set", "PARAM VALUE", 2, 2, 0, "params", "Show", "set a parameter: -6dB, on, a choice's name",
	 "Units are understood where they fit: dB, ms and s, Hz and kHz, % of a range 0 to 1. -inf is the lower end.", verb_set},
	{"do", "ACTION [ARG..]", 1, -1, 0, "actions", "Show", "do an action, at most once", "*page/next*, *page/previous*, *page/back*, *page/go* PAGE and, with a BANK, *bank/next*, *bank/previous*, *bank/home*, *channel/next*, *channel/previous* are actions of the router.", verb_do},
	{"press", "CONTROL [down|up]", 1, 2, 0, "controls", "Show", "press a button as by a hand; without more, press and let go", NULL, verb_press},
	{"move", "CONTROL POSITION", 2, 2, 0, "controls", "Show", "move a fader or pedal as by a hand: 0 to 1, or 0% to 100%", NULL, verb_move},
	{"turn", "CONTROL [TICKS]", 1, 2, 0, "controls", "Show", "turn a V-Pot or the jog wheel; clockwise is positive", NULL, verb_turn},
	{"sync", "[SURFACE]", 0, 1, JSON, "processes", "Surfaces", "send everything that a desk shows once more, and have drivers report anew",
	 "For a desk that shows something else than it should. Faders under a hand are left alone. Without a name: all drivers, then all surfaces; with one: that surface or driver alone.", verb_sync},
	{"emit", "SURFACE HEX..", 2, -1, JSON | CTL_OPT_WATCH, "processes", "Surfaces", "send bytes to a device, as they are: 90 18 7f",
	 "Whole MIDI messages, at most 256 bytes; anything else is refused with its place. A fader under a hand is not driven. What the bytes change stays until it is shown anew, or until *sync*. With *--watch*, what the device says afterwards is shown, decoded.", verb_emit},
	{"calibrate", "SURFACE", 1, 1, JSON | CTL_OPT_BATCH | CTL_OPT_TIMEOUT | CTL_OPT_SHOW | CTL_OPT_RESET, "processes", "Surfaces", "measure the travel of each fader by pushing it to both ends",
	 "Push each fader to the top and to the bottom three times; those that you leave alone keep what they had. Until it ends, faders move nothing else. What was measured is used at once, in both directions, and kept in the state folder; then the motors are sent to both ends. On a terminal it ends with Enter; else, and with *--batch*, when all faders are done, or with *--timeout* (300 seconds).", verb_calibrate},
	{"doctor", "", 0, 0, JSON, NULL, "Help", "what this machine grants and what not, and what to do about it",
	 "Real-time scheduling, confinement, permissions of devices, limits; of a pipeline that runs, its spares. Works without one. Exit 3 if something could be better.", verb_doctor},
	{"names", "KIND", 1, 1, JSON, "processes pages params controls actions", "Help", "names, one a line: processes, pages, params, controls, actions", NULL, verb_names},
	{"version", "", 0, 0, JSON, NULL, "Help", "version of this program and of what runs", NULL, verb_version},
	{"help", "[VERB]", 0, 1, CTL_OPT_AS, "verbs", "Help", "this help, or a verb's", NULL, verb_help},
};
/* clang-format on */

const size_t ctl_option_count = sizeof(ctl_options) / sizeof(ctl_options[0]);
const size_t ctl_verb_count = sizeof(ctl_verbs) / sizeof(ctl_verbs[0]);

const struct ctl_verb *
ctl_find_verb(const char *name)
{
	for (size_t i = 0; i < ctl_verb_count; i++)
		if (strcmp(ctl_verbs[i].name, name) == 0)
			return &ctl_verbs[i];
	return NULL;
}

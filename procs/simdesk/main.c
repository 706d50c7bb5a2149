/*
 * simdesk - an X-Touch that is a program: the hands of the demo and of most tests
 *
 * In:    the host's Mackie Control bytes (socket or pty); hands from a script, a command socket, or keys and mouse
 * Out:   the desk's bytes; its lights and displays in the terminal, or as JSON
 * Fails: exit 1 if an expectation of the script was not met, 2 if the script or the options are wrong, 3 if a socket
 *        could not be opened. A host that comes and goes is no failure.
 *
 * It stands for hardware: it is not supervised, and shares no memory with anybody.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/paths.h"
#include "common/units.h"
#include "procs/simdesk/cable.h"
#include "procs/simdesk/control.h"
#include "procs/simdesk/model.h"
#include "procs/simdesk/port.h"
#include "procs/simdesk/report.h"
#include "procs/simdesk/run.h"
#include "procs/simdesk/screen.h"
#include "procs/simdesk/script.h"
#include "procs/simdesk/tell.h"

BH_LOG_TOPIC("simdesk");

enum { EXIT_MET = 0, EXIT_NOT_MET = 1, EXIT_WRONG = 2, EXIT_NO_PORT = 3 };

struct options {
	enum port_kind kind;
	char path[PATH_MAX];
	const char *command, *tell, *state_json, *end_state;
	char *script_name, *script_text; /* owned */
	size_t script_len;
	bool headless, stay;
	struct desk_opts desk;
};

struct app {
	struct options opts;
	struct bh_loop *loop;	 /* owned */
	struct bh_timer *timer;	 /* owned */
	struct desk desk;
	struct cable cable;
	struct port port;
	struct run_env env;
	struct script *script;	 /* owned; NULL = none, or over */
	struct run run;
	struct control control;
	bool has_control;
	struct screen *screen;	 /* owned; NULL = headless */
	int signal_fd;		 /* owned */
	int exit_code;
	bool quit;
};

static const char usage_text[] =
	"Usage: bh-simdesk [OPTION]...\n"
	"A simulated X-Touch in Mackie Control mode. Without a script it is played in the terminal.\n"
	"\n"
	"Where the host is:\n"
	"  --socket PATH      listen there (default: desk.sock in the runtime folder)\n"
	"  --connect PATH     connect to a socket there, again and again\n"
	"  --pty[=LINK]       open a pseudo terminal; print its name, and make LINK point to it\n"
	"\n"
	"Who plays:\n"
	"  --script FILE      play a script and exit (- = standard input)\n"
	"  -e TEXT            play this script; may be repeated\n"
	"  --command SOCKET   take lines of script there; ends with quit or SIGTERM\n"
	"  --tell SOCKET      play -e or --script line by line on the desk that takes commands there\n"
	"  --stay             do not exit at the end of the script\n"
	"  --headless         no terminal, even without a script\n"
	"\n"
	"  --device-id HEX    id in system exclusive messages (default 14)\n"
	"  --state-json FILE  write everything as JSON in the end (- = standard output)\n"
	"  --end-state FILE   write what the hands did as JSON in the end (- = standard output)\n"
	"  --help-script      the language of scripts\n"
	"  --help, --version\n"
	"\n"
	"Exit: 0 all expectations met, 1 one was not, 2 wrong script or options, 3 no socket.\n";

/* ---- one turn of the loop -------------------------------------------------------------------- */

static void
soon(uint64_t *next_ns, uint64_t at_ns)
{
	if (at_ns && (!*next_ns || at_ns < *next_ns))
		*next_ns = at_ns;
}

static void
script_over(struct app *a, enum run_result r)
{
	if (r == RUN_FAILED) {
		fprintf(stderr, "%s\n", a->run.saw);
		a->exit_code = EXIT_NOT_MET;
		a->quit = true;
	}
	script_free(a->script);
	a->script = NULL;
	if (!a->opts.stay && !a->screen)
		a->quit = true;
}

static void
play(struct app *a, uint64_t now_ns, uint64_t *next_ns)
{
	/* What one script does to the desk may be what another one waits for. */
	for (unsigned pass = 0; pass < 4; pass++) {
		uint64_t changed = a->desk.changed, next = 0;
		if (a->script) {
			enum run_result r = run_step(&a->run, now_ns, &next);
			if (r != RUN_WAITING)
				script_over(a, r);
		}
		soon(next_ns, next);
		next = 0;
		if (a->has_control)
			control_step(&a->control, now_ns, &next);
		soon(next_ns, next);
		if (changed == a->desk.changed)
			return;
	}
}

static void
turn(struct app *a)
{
	uint64_t now_ns = bh_mono_ns(), next_ns = 0;
	desk_advance(&a->desk, now_ns);
	play(a, now_ns, &next_ns);
	if (a->screen) {
		screen_draw(a->screen, now_ns);
		soon(&next_ns, screen_next_ns(a->screen));
		a->quit = a->quit || screen_wants_quit(a->screen);
	}
	bool peer = a->cable.peer;
	port_pump(&a->port, now_ns);
	if (peer != a->cable.peer)
		soon(&next_ns, now_ns); /* a script may wait for just that, and nothing else may ever wake us */
	soon(&next_ns, desk_next_ns(&a->desk));
	soon(&next_ns, cable_next_ns(&a->cable, now_ns));
	soon(&next_ns, port_next_ns(&a->port));
	a->quit = a->quit || a->env.quit;
	bh_timer_at(a->timer, next_ns, 0);
}

/* Only a reason to wake up: turn() follows each. */
static void
on_time(void *data)
{
	(void)data;
}

static void
on_signal(void *data, int fd, uint32_t events)
{
	struct app *a = data;
	struct signalfd_siginfo info;
	(void)events;
	if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		a->quit = true;
}

/* What a script said last must not be lost because the program ends. */
static void
drain(struct app *a)
{
	uint64_t end_ns = bh_mono_ns() + 2 * BH_NS_PER_S;
	while (a->cable.peer && cable_queued(&a->cable) && bh_mono_ns() < end_ns) {
		uint64_t now_ns = bh_mono_ns(), next_ns = end_ns;
		port_pump(&a->port, now_ns);
		soon(&next_ns, cable_next_ns(&a->cable, now_ns));
		bh_timer_at(a->timer, next_ns, 0);
		if (!a->cable.peer || !cable_queued(&a->cable) || bh_loop_step(a->loop, true) < 0)
			return;
	}
}

/* ---- set-up ---------------------------------------------------------------------------------- */

static bool
send_to_cable(void *data, const uint8_t *bytes, size_t len)
{
	return cable_send(data, bytes, len);
}

static int
plug(void *data, bool in)
{
	struct app *a = data;
	if (in)
		return port_open(&a->port);
	port_close(&a->port);
	return 0;
}

static void
print_out(void *data, const char *text)
{
	struct app *a = data;
	if (a->screen)
		return;
	fputs(text, stdout);
	fflush(stdout);
}

static bool
write_report(const char *path, void (*report)(FILE *, const struct app *), const struct app *a)
{
	bool is_stdout = strcmp(path, "-") == 0;
	FILE *to = is_stdout ? stdout : fopen(path, "we");
	if (to)
		report(to, a);
	bool ok = to && fflush(to) == 0 && !ferror(to);
	if (!ok)
		fprintf(stderr, "bh-simdesk: %s: %s\n", path, strerror(errno));
	if (to && !is_stdout)
		fclose(to);
	return ok;
}

static void
state_of(FILE *to, const struct app *a)
{
	report_state(to, &a->desk, &a->cable);
}

static void
end_state_of(FILE *to, const struct app *a)
{
	report_end_state(to, &a->desk);
}

static int
append_text(struct options *o, const char *name, const char *text, size_t len)
{
	char *more = realloc(o->script_text, o->script_len + len + 2);
	if (!more)
		return -ENOMEM;
	memcpy(more + o->script_len, text, len);
	more[o->script_len + len] = '\n';
	o->script_len += len + 1;
	o->script_text = more;
	free(o->script_name);
	o->script_name = strdup(name);
	return o->script_name ? 0 : -ENOMEM;
}

static int
append_file(struct options *o, const char *path)
{
	char part[4096];
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *from = is_stdin ? stdin : fopen(path, "re");
	char *text = NULL;
	size_t len = 0, n;
	FILE *all = from ? open_memstream(&text, &len) : NULL;
	int r = all ? 0 : -errno;
	while (all && (n = fread(part, 1, sizeof(part), from)) > 0)
		fwrite(part, 1, n, all);
	if (all && ferror(from))
		r = -errno;
	if (all)
		fclose(all);
	if (from && !is_stdin)
		fclose(from);
	if (r == 0)
		r = append_text(o, is_stdin ? "stdin" : path, text, len);
	free(text);
	return r;
}

static int
wrong(const char *what, const char *why)
{
	fprintf(stderr, "bh-simdesk: %s: %s\n", what, why);
	return EXIT_WRONG;
}

enum {
	O_SOCKET = 256,
	O_CONNECT,
	O_PTY,
	O_SCRIPT,
	O_COMMAND,
	O_TELL,
	O_STAY,
	O_HEADLESS,
	O_DEVICE_ID,
	O_STATE_JSON,
	O_END_STATE,
	O_HELP_SCRIPT,
	O_HELP,
	O_VERSION,
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, O_SOCKET},
	{"connect", required_argument, NULL, O_CONNECT},
	{"pty", optional_argument, NULL, O_PTY},
	{"script", required_argument, NULL, O_SCRIPT},
	{"command", required_argument, NULL, O_COMMAND},
	{"tell", required_argument, NULL, O_TELL},
	{"stay", no_argument, NULL, O_STAY},
	{"headless", no_argument, NULL, O_HEADLESS},
	{"device-id", required_argument, NULL, O_DEVICE_ID},
	{"state-json", required_argument, NULL, O_STATE_JSON},
	{"end-state", required_argument, NULL, O_END_STATE},
	{"help-script", no_argument, NULL, O_HELP_SCRIPT},
	{"help", no_argument, NULL, O_HELP},
	{"version", no_argument, NULL, O_VERSION},
	{0},
};

static int
take_option(struct options *o, int opt)
{
	char *end = "";
	int r = 0;
	switch (opt) {
	case O_SOCKET:
	case O_CONNECT:
	case O_PTY:
		o->kind = opt == O_SOCKET ? PORT_LISTEN : opt == O_CONNECT ? PORT_CONNECT : PORT_PTY;
		snprintf(o->path, sizeof(o->path), "%s", optarg ? optarg : "");
		return -1;
	case 'e': r = append_text(o, "-e", optarg, strlen(optarg)); break;
	case O_SCRIPT: r = append_file(o, optarg); break;
	case O_COMMAND: o->command = optarg; break;
	case O_TELL: o->tell = optarg; break;
	case O_STAY: o->stay = true; break;
	case O_HEADLESS: o->headless = true; break;
	case O_DEVICE_ID:
		o->desk.device_id = (uint8_t)strtoul(optarg, &end, 16);
		if (*end || !*optarg || o->desk.device_id > 0x7f)
			return wrong(optarg, "an id is a byte in hexadecimal, such as 14");
		break;
	case O_STATE_JSON: o->state_json = optarg; break;
	case O_END_STATE: o->end_state = optarg; break;
	case O_HELP_SCRIPT: script_help(stdout); return EXIT_MET;
	case O_HELP: fputs(usage_text, stdout); return EXIT_MET;
	case O_VERSION: puts("bh-simdesk " BH_VERSION); return EXIT_MET;
	default: fputs("Try bh-simdesk --help.\n", stderr); return EXIT_WRONG;
	}
	return r < 0 ? wrong(optarg, strerror(-r)) : -1;
}

/* The exit code, or -1 to go on. */
static int
take_options(struct options *o, int argc, char **argv)
{
	int opt;
	o->desk = desk_defaults;
	while ((opt = getopt_long(argc, argv, "e:", long_options, NULL)) != -1) {
		int code = take_option(o, opt);
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		return wrong(argv[optind], "is no option; a script needs --script before it");
	if (o->tell)
		return o->script_text ? tell(o->tell, o->script_text, o->script_len)
				      : wrong(o->tell, "tell it what? --tell needs -e or --script");
	if (!o->path[0] && o->kind != PORT_PTY) {
		int r = bh_path_runtime(o->path, sizeof(o->path), "desk.sock");
		if (r < 0)
			return wrong("the runtime folder", strerror(-r));
	}
	o->stay = o->stay || o->command || (o->headless && !o->script_text);
	o->headless = o->headless || o->script_text || o->command || !isatty(STDOUT_FILENO);
	return -1;
}

static int
open_all(struct app *a)
{
	struct options *o = &a->opts;
	a->loop = bh_loop_new();
	a->timer = a->loop ? bh_timer_new(a->loop, on_time, NULL) : NULL;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	a->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!a->timer || a->signal_fd < 0 ||
	    !bh_loop_watch(a->loop, a->signal_fd, EPOLLIN, on_signal, a))
		return wrong("start", strerror(errno)), EXIT_NO_PORT;

	struct desk_ops ops = {.send = send_to_cable, .data = &a->cable};
	cable_init(&a->cable);
	desk_init(&a->desk, &o->desk, &ops, bh_mono_ns());
	port_init(&a->port, o->kind, o->path[0] ? o->path : NULL, a->loop, &a->desk, &a->cable);
	a->env = (struct run_env){.desk = &a->desk, .cable = &a->cable, .plug = plug, .data = a};
	int r = port_open(&a->port);
	if (r < 0)
		return wrong(o->path, strerror(-r)), EXIT_NO_PORT;
	if (o->kind == PORT_PTY && o->headless) {
		printf("%s\n", a->port.pty_name);
		fflush(stdout);
	}
	if (o->command) {
		r = control_open(&a->control, o->command, a->loop, &a->env);
		if (r < 0)
			return wrong(o->command, strerror(-r)), EXIT_NO_PORT;
		a->has_control = true;
	}
	return -1;
}

static int
load_script(struct app *a)
{
	struct options *o = &a->opts;
	char *errors;
	if (!o->script_text)
		return -1;
	int r = script_parse(o->script_name, o->script_text, o->script_len, &a->script, &errors);
	if (r < 0) {
		fputs(errors ? errors : "bh-simdesk: no memory for the script\n", stderr);
		free(errors);
		return EXIT_WRONG;
	}
	return -1;
}

static int
app_main(struct app *a)
{
	int r = load_script(a);
	if (r < 0)
		r = open_all(a);
	if (r >= 0)
		return r;
	if (!a->opts.headless) {
		a->screen = screen_new(a->loop, &a->desk, &a->cable, &a->env);
		if (!a->screen)
			return wrong("the terminal", strerror(errno));
	}
	if (a->script) {
		a->run.print = print_out;
		a->run.data = a;
		run_start(&a->run, &a->env, a->script, bh_mono_ns());
	}
	turn(a);
	while (!a->quit) {
		r = bh_loop_step(a->loop, true);
		if (r < 0)
			return wrong("wait", strerror(-r)), EXIT_NO_PORT;
		turn(a);
	}
	drain(a);
	screen_free(a->screen);
	a->screen = NULL;
	bool ok = !a->opts.state_json || write_report(a->opts.state_json, state_of, a);
	ok = (!a->opts.end_state || write_report(a->opts.end_state, end_state_of, a)) && ok;
	return ok ? a->exit_code : EXIT_NO_PORT;
}

int
main(int argc, char **argv)
{
	static struct app app;
	bh_log_init("bh-simdesk");
	app.signal_fd = -1;
	int code = take_options(&app.opts, argc, argv);
	if (code < 0) {
		code = app_main(&app);
		screen_free(app.screen);
		if (app.has_control)
			control_close(&app.control);
		if (app.loop)
			port_close(&app.port);
		bh_loop_free(app.loop);
		bh_close(&app.signal_fd);
	}
	script_free(app.script);
	free(app.opts.script_text);
	free(app.opts.script_name);
	return code;
}

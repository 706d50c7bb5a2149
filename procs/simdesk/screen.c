/*
 * screen - see screen.h
 *
 * From top to bottom: the host and the digits, two lines of the scribble strips, V-Pot rings, the four lights of each strip, faders
 * with their meters, positions, the buttons of the whole desk, a line of help. Everything that can be clicked is found again by
 * the same arithmetic that painted it. 80 x 24 is enough; more lines make longer faders, more columns wider strips.
 */
#include "procs/simdesk/screen.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/units.h"

enum {
	ROW_STATUS,
	ROW_UPPER,
	ROW_LOWER,
	ROW_RING,
	ROW_LIGHTS,
	ROW_FADER,
	GLOBAL_FIRST = 0x28,
	GLOBALS = 62,
	GLOBALS_PER_ROW = 10,
	GLOBAL_ROWS = (GLOBALS + GLOBALS_PER_ROW - 1) / GLOBALS_PER_ROW,
	LINES_MIN = ROW_FADER + 3 + 1 + GLOBAL_ROWS + 1,
	COLS_MIN = 80,
	PAIR_OF_COLOUR = 1, /* .. 8 */
	PAIR_CAP = 9,
	PAIR_METER = 10,
	PAIR_WARN = 11,
	KEY_OF_MOUSE = KEY_F(60), /* "\033[<"; its numbers follow as characters */
	MOUSE_WHEEL = 64,
	MOUSE_MOVED = 32,
	MOUSE_BUTTON = 3,
	NOTHING = -1,
};

static const uint64_t frame_ns = 50 * BH_NS_PER_MS;
/* A key has no end: the finger leaves the cap this long after the last one. */
static const uint64_t key_touch_ns = 500 * BH_NS_PER_MS;
static const uint64_t key_tap_ns = 60 * BH_NS_PER_MS;

struct screen {
	struct bh_watch *watch; /* owned */
	struct desk *desk;	/* borrowed */
	struct cable *cable;	/* borrowed */
	struct run_env *env;	/* borrowed */
	bool utf8, help, quit, stale;
	int strip; /* chosen */
	uint64_t drawn_ns, drawn_changed;
	uint64_t next_ns;
	uint8_t meters[BH_MCU_STRIPS]; /* as drawn */
	uint64_t let_go_ns[BH_MCU_FADERS]; /* of a touch by keys; 0 = none */
	int drag_fader, drag_note;
	char mouse[24]; /* what has come of a mouse report */
	size_t mouse_len;
	bool in_mouse;
};

static const char *const global_labels[GLOBALS] = {
	"track", "send",    "pan",    "plugin", "eq",     "inst",    "bank<",   "bank>",  "chan<",
	"chan>", "flip",    "global", "name",   "smpte",  "F1",      "F2",      "F3",     "F4",
	"F5",    "F6",      "F7",     "F8",     "midi",   "inputs",  "audio",   "a.inst", "aux",
	"buses", "outputs", "user",   "shift",  "option", "control", "alt",     "read",   "write",
	"trim",  "touch",   "latch",  "group",  "save",   "undo",    "cancel",  "enter",  "marker",
	"nudge", "cycle",   "drop",   "replace", "click", "solo",    "rew",     "fwd",    "stop",
	"play",  "rec",     "up",     "down",   "left",   "right",   "zoom",    "scrub",
};

/* ---- the terminal and its end ---------------------------------------------------------------- */

static struct termios before;
static const int fatal_signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

/* Async-signal-safe: mouse off, main screen, cursor on, colours off, line mode as it was. */
static void
on_fatal(int sig)
{
	static const char reset[] = "\033[?1002l\033[?1000l\033[?1006l\033[?1049l\033[?25h\033[0m\r\n";
	ssize_t n = write(STDOUT_FILENO, reset, sizeof(reset) - 1);
	(void)n;
	tcsetattr(STDOUT_FILENO, TCSANOW, &before);
	raise(sig);
}

static void
catch_fatal(void)
{
	struct sigaction sa = {.sa_handler = on_fatal, .sa_flags = SA_RESETHAND | SA_NODEFER};
	for (size_t i = 0; i < BH_ARRAY_LEN(fatal_signals); i++)
		sigaction(fatal_signals[i], &sa, NULL);
}

/*
 * We ask for the mouse and read it ourselves: curses makes a click of a press and a release that arrive together, and the
 * desk wants both. 1002: presses, releases, and moves with a button down; 1006: as decimal numbers.
 */
static void
mouse_on(bool on)
{
	fputs(on ? "\033[?1002h\033[?1006h" : "\033[?1006l\033[?1002l", stdout);
	fflush(stdout);
}

static void
set_colours(void)
{
	static const short of_bits[] = {COLOR_BLACK, COLOR_RED,	    COLOR_GREEN, COLOR_YELLOW,
					COLOR_BLUE,  COLOR_MAGENTA, COLOR_CYAN,	 COLOR_WHITE};
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	for (short i = 0; i < 8; i++)
		init_pair((short)(PAIR_OF_COLOUR + i), i ? COLOR_BLACK : COLOR_WHITE, of_bits[i]);
	init_pair(PAIR_CAP, COLOR_BLACK, COLOR_WHITE);
	init_pair(PAIR_METER, COLOR_GREEN, -1);
	init_pair(PAIR_WARN, COLOR_RED, -1);
}

static void on_input(void *data, int fd, uint32_t events);

struct screen *
screen_new(struct bh_loop *loop, struct desk *desk, struct cable *cable, struct run_env *env)
{
	struct screen *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->desk = desk;
	s->cable = cable;
	s->env = env;
	s->stale = true;
	s->drag_fader = s->drag_note = NOTHING;
	if (tcgetattr(STDOUT_FILENO, &before) < 0 || !isatty(STDIN_FILENO)) {
		free(s);
		errno = ENOTTY;
		return NULL;
	}
	setlocale(LC_ALL, "");
	s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!newterm(NULL, stdout, stdin)) {
		free(s);
		errno = ENOTTY;
		return NULL;
	}
	catch_fatal();
	/* The picture says what the log would say, and the log would spoil the picture. */
	bh_log_set_level(BH_LOG_ERR);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	set_colours();
	define_key("\033[<", KEY_OF_MOUSE);
	mouse_on(true);
	s->watch = bh_loop_watch(loop, STDIN_FILENO, EPOLLIN, on_input, s);
	if (!s->watch) {
		screen_free(s);
		return NULL;
	}
	return s;
}

void
screen_free(struct screen *s)
{
	if (!s)
		return;
	bh_watch_free(s->watch);
	mouse_on(false);
	endwin();
	free(s);
}

bool
screen_wants_quit(const struct screen *s)
{
	return s->quit;
}

/* ---- where things are ------------------------------------------------------------------------ */

static int
strip_width(void)
{
	int w = COLS / BH_MCU_FADERS;
	return w > 14 ? 14 : w;
}

static int
fader_rows(void)
{
	return LINES - ROW_FADER - 1 - GLOBAL_ROWS - 1;
}

static int
row_values(void)
{
	return ROW_FADER + fader_rows();
}

static int
row_globals(void)
{
	return row_values() + 1;
}

static int
global_width(void)
{
	int w = COLS / GLOBALS_PER_ROW;
	return w > 12 ? 12 : w;
}

static bool
too_small(void)
{
	return LINES < LINES_MIN || COLS < COLS_MIN;
}

static int
row_of_pos(double pos)
{
	int n = fader_rows();
	int up = (int)(pos / DESK_TOP * (n - 1) + 0.5);
	return ROW_FADER + n - 1 - up;
}

static uint16_t
pos_of_row(int row)
{
	int n = fader_rows(), up = ROW_FADER + n - 1 - row;
	up = up < 0 ? 0 : up > n - 1 ? n - 1 : up;
	return desk_quantise((double)up * DESK_TOP / (n - 1));
}

/* Notes of the lights of a strip: rec, solo, mute, select. */
static int
strip_note(int strip, int light)
{
	return light * BH_MCU_STRIPS + strip;
}

/* ---- painting -------------------------------------------------------------------------------- */

static attr_t
light_attr(const struct desk *d, int note)
{
	attr_t a = d->pressed[note] ? A_UNDERLINE : 0;
	switch (d->led[note]) {
	case BH_MCU_LED_OFF: return a | A_DIM;
	case BH_MCU_LED_FLASH: return a | A_REVERSE | A_BLINK;
	case BH_MCU_LED_ON: return a | A_REVERSE | A_BOLD;
	}
	return a;
}

static void
paint_status(const struct screen *s)
{
	const struct desk *d = s->desk;
	char timecode[2 * BH_MCU_DIGITS + 1], assignment[2 * BH_MCU_DIGITS + 1];
	desk_digits(d, 0, 10, timecode, sizeof(timecode));
	desk_digits(d, 10, 2, assignment, sizeof(assignment));
	attron(A_BOLD);
	mvaddstr(ROW_STATUS, 0, "X-Touch");
	attroff(A_BOLD);
	const char *host = s->cable->peer ? "host: here" : s->cable->wanted ? "host: none" : "unplugged";
	attr_t warn = s->cable->peer ? A_NORMAL : COLOR_PAIR(PAIR_WARN);
	attron(warn);
	mvaddstr(ROW_STATUS, 9, host);
	attroff(warn);
	mvprintw(ROW_STATUS, 21, "[%2s]", assignment);
	attron(A_REVERSE);
	mvprintw(ROW_STATUS, 28, " %-10s ", timecode);
	attroff(A_REVERSE);
	attron(light_attr(d, 0x71));
	mvaddstr(ROW_STATUS, 42, "SMPTE");
	attrset(light_attr(d, 0x72));
	mvaddstr(ROW_STATUS, 48, "BEATS");
	attrset(light_attr(d, 0x73));
	mvaddstr(ROW_STATUS, 54, "SOLO");
	attrset(A_NORMAL);
	mvprintw(ROW_STATUS, 60, "fights %llu stale %llu", (unsigned long long)d->count[DESK_C_FIGHTS],
		 (unsigned long long)d->count[DESK_C_STALE]);
	clrtoeol();
}

static void
paint_text(const struct screen *s, int i)
{
	char text[BH_MCU_CELL_WIDTH + 1];
	int x = i * strip_width();
	attr_t a = has_colors() ? (attr_t)COLOR_PAIR(PAIR_OF_COLOUR + s->desk->colour[i]) : A_REVERSE;
	for (unsigned line = 0; line < 2; line++) {
		desk_strip_text(s->desk, (unsigned)i, line, text);
		/* A host may send anything below 80; the terminal must not obey it. */
		for (char *c = text; *c; c++)
			if (!bh_mcu_is_display_char((uint8_t)*c))
				*c = '?';
		attron(a);
		mvprintw(ROW_UPPER + (int)line, x, "%-7s", text);
		attroff(a);
	}
}

/* Is the LED at 1-11 of the ring lit? */
static bool
ring_led(const struct desk_ring *r, int at)
{
	if (r->pos == 0)
		return false;
	switch (r->mode) {
	case BH_MCU_RING_DOT: return at == r->pos;
	case BH_MCU_RING_BOOST_CUT: return r->pos < 6 ? at >= r->pos && at <= 6 : at >= 6 && at <= r->pos;
	case BH_MCU_RING_WRAP: return at <= r->pos;
	case BH_MCU_RING_SPREAD: {
		int wide = (r->pos > 6 ? 6 : r->pos) - 1;
		return at >= 6 - wide && at <= 6 + wide;
	}
	}
	return false;
}

/* Two LEDs in a column, as half blocks; the twelfth half shows the outer LEDs. */
static void
paint_ring(const struct screen *s, int i)
{
	static const char *const blocks[] = {"·", "▌", "▐", "█"};
	static const char *const ascii[] = {".", "[", "]", "#"};
	const struct desk_ring *r = &s->desk->ring[i];
	int x = i * strip_width();
	attr_t a = s->desk->pressed[0x20 + i] ? A_UNDERLINE : 0;
	attron(a | A_BOLD);
	for (int cell = 0; cell < 6; cell++) {
		int left = ring_led(r, 2 * cell + 1), right = cell < 5 && ring_led(r, 2 * cell + 2);
		mvaddstr(ROW_RING, x + cell, (s->utf8 ? blocks : ascii)[left | right << 1]);
	}
	addch(r->extra ? '*' : ' ');
	attroff(a | A_BOLD);
}

static void
paint_lights(const struct screen *s, int i)
{
	for (int light = 0; light < 4; light++) {
		attron(light_attr(s->desk, strip_note(i, light)));
		mvaddch(ROW_LIGHTS, i * strip_width() + 2 * light, (chtype)("RSME"[light]));
		attrset(A_NORMAL);
	}
}

static void
paint_fader(const struct screen *s, int i)
{
	const struct desk_fader *f = &s->desk->fader[i];
	int x = i * strip_width(), n = fader_rows();
	int cap = row_of_pos(f->pos), target = f->has_target ? row_of_pos(f->target) : NOTHING;
	int level = i < BH_MCU_STRIPS ? (s->meters[i] * n + BH_MCU_METER_MAX - 1) / BH_MCU_METER_MAX : 0;
	for (int y = 0; y < n; y++) {
		int row = ROW_FADER + y;
		bool below = row > cap;
		mvaddstr(row, x + 1, row == target && row != cap ? ">" : " ");
		mvaddstr(row, x + 2, s->utf8 ? (below ? "┃" : "│") : (below ? "#" : "|"));
		if (row == cap) {
			attr_t a = (has_colors() ? (attr_t)COLOR_PAIR(PAIR_CAP) : A_REVERSE) |
				   (f->touched ? A_BOLD : 0);
			attron(a);
			mvaddstr(row, x + 1, f->touched ? "[*]" : desk_held(f) ? "[-]" : "===");
			attroff(a);
		}
		if (i < BH_MCU_STRIPS) {
			bool over = y == 0 && s->desk->meter[i].over;
			attron(COLOR_PAIR(over ? PAIR_WARN : PAIR_METER));
			mvaddstr(row, x + 5, over ? "!" : n - y <= level ? (s->utf8 ? "█" : "#") : " ");
			attroff(COLOR_PAIR(over ? PAIR_WARN : PAIR_METER));
		}
	}
	attr_t chosen = s->strip == i ? A_REVERSE : 0;
	attron(chosen);
	mvprintw(row_values(), x, "%c %5.1f", i == 8 ? 'M' : '1' + i, f->pos / DESK_TOP * 100);
	attroff(chosen);
}

static void
paint_globals(const struct screen *s)
{
	int w = global_width();
	for (int g = 0; g < GLOBALS; g++) {
		attron(light_attr(s->desk, GLOBAL_FIRST + g));
		mvaddnstr(row_globals() + g / GLOBALS_PER_ROW, g % GLOBALS_PER_ROW * w,
			  global_labels[g], w - 1);
		attrset(A_NORMAL);
	}
}

static void
paint_help(void)
{
	static const char *const lines[] = {
		"1-9, left, right   choose a strip (9 = main)",
		"up, down           move its fader by 1 %   (page up, page down: 10 %)",
		"space              put a finger on it, or take it away",
		"m s r e            mute, solo, rec, select",
		"+ -                turn its V-Pot;  v pushes it",
		"F1 - F8            the F keys;  p play, x stop, t record",
		"[ ]  { }           fader bank, channel;  j J jog wheel",
		"mouse              drag faders, press buttons, wheel turns V-Pots",
		"u                  unplug, plug",
		"q                  quit;  ? closes this",
	};
	int h = (int)BH_ARRAY_LEN(lines) + 2, w = 72, y = (LINES - h) / 2, x = (COLS - w) / 2;
	attron(A_REVERSE);
	for (int i = 0; i < h; i++) {
		const char *text = i > 0 && i < h - 1 ? lines[i - 1] : "";
		mvprintw(y + i, x, "  %-*s", w - 2, text);
	}
	attroff(A_REVERSE);
}

static void
paint(struct screen *s)
{
	erase();
	if (too_small()) {
		mvprintw(0, 0, "The desk needs %d x %d characters; this is %d x %d.", COLS_MIN, LINES_MIN,
			 COLS, LINES);
		refresh();
		return;
	}
	paint_status(s);
	for (int i = 0; i < BH_MCU_FADERS; i++) {
		if (i < BH_MCU_STRIPS) {
			paint_text(s, i);
			paint_ring(s, i);
			paint_lights(s, i);
		} else {
			mvaddstr(ROW_UPPER, i * strip_width(), "MAIN");
		}
		paint_fader(s, i);
	}
	paint_globals(s);
	mvaddnstr(LINES - 1, 0, "1-9 strip, arrows fader, space touch, m s r e, + - V-Pot, F1-F8, ? help, q quit",
		  COLS - 1);
	if (s->help)
		paint_help();
	refresh();
}

/* ---- hands ----------------------------------------------------------------------------------- */

static void
nudge(struct screen *s, double part)
{
	unsigned i = (unsigned)s->strip;
	struct desk_fader *f = &s->desk->fader[i];
	uint64_t now_ns = bh_mono_ns();
	/* What the space bar holds stays held. */
	if (!f->touched || s->let_go_ns[i])
		s->let_go_ns[i] = now_ns + key_touch_ns;
	desk_touch(s->desk, now_ns, i, true);
	desk_move(s->desk, now_ns, i, desk_quantise(f->pos + part * DESK_TOP), 0, false);
}

static void
hold(struct screen *s)
{
	bool held = s->desk->fader[s->strip].touched && !s->let_go_ns[s->strip];
	s->let_go_ns[s->strip] = 0;
	desk_touch(s->desk, bh_mono_ns(), (unsigned)s->strip, !held);
}

static void
tap(struct screen *s, int note)
{
	desk_tap(s->desk, bh_mono_ns(), (unsigned)note, key_tap_ns);
}

static void
tap_strip(struct screen *s, int light)
{
	if (s->strip < BH_MCU_STRIPS)
		tap(s, strip_note(s->strip, light));
}

static void
plug(struct screen *s)
{
	s->cable->wanted = !s->cable->wanted;
	if (s->env->plug)
		s->env->plug(s->env->data, s->cable->wanted);
}

static int
strip_at(int x)
{
	int i = x / strip_width();
	return i < BH_MCU_FADERS ? i : NOTHING;
}

/* The button under the mouse, or NOTHING. */
static int
note_at(int x, int y)
{
	int i = strip_at(x), g = x / global_width();
	if (y == ROW_LIGHTS && i != NOTHING && i < BH_MCU_STRIPS && x % strip_width() < 8)
		return strip_note(i, x % strip_width() / 2);
	if (y == ROW_RING && i != NOTHING && i < BH_MCU_STRIPS)
		return 0x20 + i;
	if (y < row_globals() || y >= row_globals() + GLOBAL_ROWS || g >= GLOBALS_PER_ROW)
		return NOTHING;
	g += (y - row_globals()) * GLOBALS_PER_ROW;
	return g < GLOBALS ? GLOBAL_FIRST + g : NOTHING;
}

static void
mouse_down(struct screen *s, int x, int y)
{
	uint64_t now_ns = bh_mono_ns();
	s->drag_note = note_at(x, y);
	if (s->drag_note != NOTHING) {
		desk_button(s->desk, now_ns, (unsigned)s->drag_note, true);
		return;
	}
	int i = strip_at(x);
	if (i == NOTHING || y < ROW_UPPER || y > row_values())
		return;
	s->strip = i;
	if (y < ROW_FADER || y >= row_values())
		return;
	s->drag_fader = i;
	s->let_go_ns[i] = 0;
	desk_touch(s->desk, now_ns, (unsigned)i, true);
	/* Taking the cap where it is does not move it. */
	if (y != row_of_pos(s->desk->fader[i].pos))
		desk_move(s->desk, now_ns, (unsigned)i, pos_of_row(y), 0, false);
}

static void
mouse_up(struct screen *s)
{
	uint64_t now_ns = bh_mono_ns();
	if (s->drag_note != NOTHING)
		desk_button(s->desk, now_ns, (unsigned)s->drag_note, false);
	if (s->drag_fader != NOTHING)
		desk_touch(s->desk, now_ns, (unsigned)s->drag_fader, false);
	s->drag_note = s->drag_fader = NOTHING;
}

static void
mouse_wheel(struct screen *s, int x, int y, int up)
{
	int i = strip_at(x);
	if (i == NOTHING || y < ROW_UPPER || y > row_values())
		return;
	s->strip = i;
	if (y < ROW_FADER && i < BH_MCU_STRIPS)
		desk_turn(s->desk, bh_mono_ns(), (unsigned)i, up);
	else if (y >= ROW_FADER)
		nudge(s, up * 0.01);
}

/* "BUTTON;COLUMN;LINE", from 1 */
static void
on_mouse(struct screen *s, bool down)
{
	int button, x, y;
	s->mouse[s->mouse_len] = '\0';
	if (sscanf(s->mouse, "%d;%d;%d", &button, &x, &y) != 3 || x < 1 || y < 1 || too_small())
		return;
	x--;
	y--;
	if (button & MOUSE_WHEEL)
		mouse_wheel(s, x, y, button & 1 ? -1 : 1);
	else if ((button & MOUSE_BUTTON) != 0)
		return; /* not the left one */
	else if (!down)
		mouse_up(s);
	else if (!(button & MOUSE_MOVED))
		mouse_down(s, x, y);
	else if (s->drag_fader != NOTHING)
		desk_move(s->desk, bh_mono_ns(), (unsigned)s->drag_fader, pos_of_row(y), 0, false);
}

/* One character of a report; a read may end anywhere in it. */
static void
mouse_char(struct screen *s, int key)
{
	if ((key == ';' || (key >= '0' && key <= '9')) && s->mouse_len < sizeof(s->mouse) - 1) {
		s->mouse[s->mouse_len++] = (char)key;
		return;
	}
	s->in_mouse = false;
	if (key == 'M' || key == 'm')
		on_mouse(s, key == 'M');
}

static void
on_key(struct screen *s, int key)
{
	if (s->in_mouse) {
		mouse_char(s, key);
		return;
	}
	if (key >= '1' && key <= '9') {
		s->strip = key - '1';
		return;
	}
	if (key >= KEY_F(1) && key <= KEY_F(8)) {
		tap(s, 0x36 + key - KEY_F(1));
		return;
	}
	switch (key) {
	case KEY_LEFT: s->strip = (s->strip + BH_MCU_FADERS - 1) % BH_MCU_FADERS; break;
	case KEY_RIGHT: s->strip = (s->strip + 1) % BH_MCU_FADERS; break;
	case KEY_UP: nudge(s, 0.01); break;
	case KEY_DOWN: nudge(s, -0.01); break;
	case KEY_PPAGE: nudge(s, 0.1); break;
	case KEY_NPAGE: nudge(s, -0.1); break;
	case ' ': hold(s); break;
	case 'r': tap_strip(s, 0); break;
	case 's': tap_strip(s, 1); break;
	case 'm': tap_strip(s, 2); break;
	case 'e': tap_strip(s, 3); break;
	case 'v': tap_strip(s, 4); break;
	case '+':
	case '=': desk_turn(s->desk, bh_mono_ns(), (unsigned)s->strip, 1); break;
	case '-': desk_turn(s->desk, bh_mono_ns(), (unsigned)s->strip, -1); break;
	case 'j': desk_jog(s->desk, bh_mono_ns(), 1); break;
	case 'J': desk_jog(s->desk, bh_mono_ns(), -1); break;
	case '[': tap(s, 0x2e); break;
	case ']': tap(s, 0x2f); break;
	case '{': tap(s, 0x30); break;
	case '}': tap(s, 0x31); break;
	case 'p': tap(s, 0x5e); break;
	case 'x': tap(s, 0x5d); break;
	case 't': tap(s, 0x5f); break;
	case 'u': plug(s); break;
	case '?': s->help = !s->help; break;
	case 'q': s->quit = true; break;
	case KEY_OF_MOUSE:
		s->in_mouse = true;
		s->mouse_len = 0;
		break;
	default: break;
	}
}

static void
on_input(void *data, int fd, uint32_t events)
{
	struct screen *s = data;
	(void)fd;
	/* The keys themselves are taken by screen_draw(), which every wake-up ends with. */
	if (events & (EPOLLHUP | EPOLLERR))
		s->quit = true;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool
take_meters(struct screen *s)
{
	bool is_new = false;
	for (unsigned i = 0; i < BH_MCU_STRIPS; i++) {
		uint8_t level = desk_meter_level(s->desk, i);
		is_new |= level != s->meters[i];
		s->meters[i] = level;
	}
	return is_new;
}

static void
let_go(struct screen *s, uint64_t now_ns)
{
	for (unsigned i = 0; i < BH_MCU_FADERS; i++) {
		if (!s->let_go_ns[i])
			continue;
		if (s->let_go_ns[i] <= now_ns) {
			s->let_go_ns[i] = 0;
			desk_touch(s->desk, now_ns, i, false);
		} else if (!s->next_ns || s->let_go_ns[i] < s->next_ns) {
			s->next_ns = s->let_go_ns[i];
		}
	}
}

void
screen_draw(struct screen *s, uint64_t now_ns)
{
	int key;
	while ((key = getch()) != ERR) {
		on_key(s, key);
		s->stale = true;
	}
	s->next_ns = 0;
	let_go(s, now_ns);
	s->stale = take_meters(s) || s->desk->changed != s->drawn_changed || s->stale;
	if (!s->stale)
		return;
	if (s->drawn_ns && now_ns < s->drawn_ns + frame_ns) {
		uint64_t at_ns = s->drawn_ns + frame_ns;
		if (!s->next_ns || at_ns < s->next_ns)
			s->next_ns = at_ns;
		return;
	}
	paint(s);
	s->stale = false;
	s->drawn_ns = now_ns;
	s->drawn_changed = s->desk->changed;
}

uint64_t
screen_next_ns(const struct screen *s)
{
	return s->next_ns;
}

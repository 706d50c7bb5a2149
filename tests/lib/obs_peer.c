/* obs_peer.c - see obs_peer.h */
#include "tests/lib/obs_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/units.h"
#include "tests/lib/must.h"
#include "tests/lib/patience.h"

enum { SOURCES = 128, FILTERS = 128, ITEMS = 64, RATE = 48000, TONE_S = 10 };

struct source {
	char name[128], kind[48], settings[512];
	char item[ITEMS][128]; /* of a scene */
	unsigned items;
	double volume;
	bool gone;
};

struct filter {
	char source[128], name[128], kind[48], settings[512];
};

struct obs_peer {
	char dir[64];
	uint16_t port;
	char password[128]; /* "" = none */
	struct source source[SOURCES];
	struct filter filter[FILTERS];
	unsigned sources, filters;
	pid_t obs, xvfb;
	int display, guard_fd;
};

/* ------------------------------------------------------------------ the network */

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = write(fd, text, strlen(text));
	(void)n; /* unshare() has succeeded; if this has not, the loop-back device tells */
	close(fd);
}

/* Who is not root becomes an owner of its network by a user namespace, in which it is itself. */
static int
enter_network(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
	return 0;
}

static int
raise_loopback(void)
{
	struct ifreq req = {.ifr_name = "lo"};
	bh_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return -errno;
	req.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &req) < 0 ? -errno : 0;
}

static bool
is_installed(const char *program)
{
	const char *path = getenv("PATH");
	bh_autofree char *all = strdup(path ? path : "/usr/bin:/bin");
	char *rest = all;
	for (char *dir; all && (dir = strsep(&rest, ":"));) {
		char at[512];
		snprintf(at, sizeof(at), "%s/%s", dir, program);
		if (access(at, X_OK) == 0)
			return true;
	}
	return false;
}

const char *
obs_peer_prepare(void)
{
	static char why[128];
	if (!is_installed("obs"))
		return "no program obs; Debian's package is obs-studio";
	if (!is_installed("Xvfb"))
		return "no program Xvfb; Debian's package is xvfb";
	int r = enter_network();
	if (r == 0)
		r = raise_loopback();
	if (r == 0)
		return NULL;
	snprintf(why, sizeof(why), "no network namespace of our own: %s", strerror(-r));
	return why;
}

/* ------------------------------------------------------------------ who cleans up */

struct order {
	char what; /* + and - a process, k: leave */
	pid_t pid;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool
is_gone(pid_t pid)
{
	return kill(pid, 0) < 0;
}

/* SIGTERM first: Xvfb removes its lock and its socket from /tmp then. */
static void
end_orphan(pid_t pid)
{
	kill(pid, SIGTERM);
	for (unsigned i = 0; i < 200 && !is_gone(pid); i++)
		usleep(10000);
	kill(pid, SIGKILL);
}

/* In a session of its own, for check kills the group of a test that failed. The last process that it knows is ended first. */
static void
guard(const char *dir, int fd)
{
	pid_t pid[8];
	unsigned n = 0;
	struct order o;
	setsid();
	dup2(fd, STDIN_FILENO);
	closefrom(STDOUT_FILENO); /* nobody shall wait for us to close what the test had open */
	for (;;) {
		ssize_t got = recv(STDIN_FILENO, &o, sizeof(o), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(o))
			break;
		if (o.what == 'k')
			_exit(0);
		if (o.what == '+' && n < BH_ARRAY_LEN(pid))
			pid[n++] = o.pid;
		for (unsigned i = 0; o.what == '-' && i < n; i++)
			if (pid[i] == o.pid)
				pid[i] = pid[--n];
	}
	while (n > 0)
		end_orphan(pid[--n]);
	remove_tree(dir);
	_exit(0);
}

static void
set_guard(struct obs_peer *p)
{
	int ends[2];
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "%m");
	pid_t pid = fork();
	must(pid >= 0, "%m");
	if (pid == 0) {
		/* Twice, so that nobody has to reap it. */
		if (fork() != 0)
			_exit(0);
		close(ends[0]);
		guard(p->dir, ends[1]);
	}
	waitpid(pid, NULL, 0);
	close(ends[1]);
	p->guard_fd = ends[0];
}

static void
tell_guard(struct obs_peer *p, char what, pid_t pid)
{
	struct order o = {what, pid};
	must(send(p->guard_fd, &o, sizeof(o), MSG_NOSIGNAL) == sizeof(o), "%m");
}

/* ------------------------------------------------------------------ what there is */

static struct source *
add_source(struct obs_peer *p, const char *name, const char *kind)
{
	must(p->sources < SOURCES, "too many sources");
	struct source *s = &p->source[p->sources];
	for (unsigned i = 0; i < p->sources; i++) /* the place of one that was removed */
		if (p->source[i].gone)
			s = &p->source[i];
	if (s == &p->source[p->sources])
		p->sources++;
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->kind, sizeof(s->kind), "%s", kind);
	snprintf(s->settings, sizeof(s->settings), "{}");
	s->volume = 1;
	return s;
}

static void
put16(FILE *f, unsigned x)
{
	fputc((int)(x & 0xff), f);
	fputc((int)(x >> 8 & 0xff), f);
}

static void
put32(FILE *f, uint32_t x)
{
	put16(f, x & 0xffff);
	put16(f, x >> 16);
}

static void
write_wav(const char *path, unsigned hz, double amplitude, unsigned seconds)
{
	FILE *f = fopen(path, "wx");
	if (!f && errno == EEXIST)
		return;
	must(f, "%s: %m", path);
	const uint32_t frames = RATE * seconds, bytes = frames * 4;
	fputs("RIFF", f);
	put32(f, 36 + bytes);
	fputs("WAVEfmt ", f);
	put32(f, 16);
	put16(f, 1); /* PCM */
	put16(f, 2);
	put32(f, RATE);
	put32(f, RATE * 4);
	put16(f, 4);
	put16(f, 16);
	fputs("data", f);
	put32(f, bytes);
	for (uint32_t i = 0; i < frames; i++) {
		int x = (int)lrint(amplitude * 32767 * sin(2 * M_PI * hz * i / RATE));
		put16(f, (unsigned)x & 0xffff);
		put16(f, (unsigned)x & 0xffff);
	}
	must(fclose(f) == 0, "%s: %m", path);
}

void
obs_peer_colour(struct obs_peer *p, const char *name, uint32_t abgr)
{
	struct source *s = add_source(p, name, "color_source_v3");
	snprintf(s->settings, sizeof(s->settings), "{\"color\":%u,\"width\":320,\"height\":180}", abgr);
}

static void
add_wav(struct obs_peer *p, const char *name, unsigned hz, double amplitude, unsigned seconds, bool looping)
{
	char path[160];
	struct source *s = add_source(p, name, "ffmpeg_source");
	snprintf(path, sizeof(path), "%s/%u-%.0f-%u.wav", p->dir, hz, amplitude * 1000, seconds);
	write_wav(path, hz, amplitude, seconds);
	snprintf(s->settings, sizeof(s->settings), "{\"local_file\":\"%s\",\"looping\":%s}", path, looping ? "true" : "false");
}

void
obs_peer_tone(struct obs_peer *p, const char *name, unsigned hz, double amplitude)
{
	add_wav(p, name, hz, amplitude, TONE_S, true);
}

void
obs_peer_media(struct obs_peer *p, const char *name, unsigned seconds)
{
	add_wav(p, name, 330, 0.25, seconds, false);
}

void
obs_peer_input(struct obs_peer *p, const char *name, const char *kind, const char *settings)
{
	struct source *s = add_source(p, name, kind);
	snprintf(s->settings, sizeof(s->settings), "%s", settings);
}

void
obs_peer_filter(struct obs_peer *p, const char *source, const char *name, const char *kind, const char *settings)
{
	must(p->filters < FILTERS, "too many filters");
	struct filter *f = &p->filter[p->filters++];
	snprintf(f->source, sizeof(f->source), "%s", source);
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->kind, sizeof(f->kind), "%s", kind);
	snprintf(f->settings, sizeof(f->settings), "%s", settings);
}

static void
add_items(struct source *s, va_list ap)
{
	for (const char *item; (item = va_arg(ap, const char *));) {
		must(s->items < ITEMS, "too many items in %s", s->name);
		snprintf(s->item[s->items++], sizeof(s->item[0]), "%s", item);
	}
}

void
obs_peer_scene(struct obs_peer *p, const char *name, ...)
{
	va_list ap;
	va_start(ap, name);
	add_items(add_source(p, name, "scene"), ap);
	va_end(ap);
}

void
obs_peer_group(struct obs_peer *p, const char *name, ...)
{
	va_list ap;
	va_start(ap, name);
	add_items(add_source(p, name, "group"), ap);
	va_end(ap);
}

static struct source *
find(struct obs_peer *p, const char *name)
{
	struct source *s = p->source;
	while (s < p->source + p->sources && (s->gone || strcmp(s->name, name) != 0))
		s++;
	must(s < p->source + p->sources, "nothing is called %s", name);
	return s;
}

void
obs_peer_rename(struct obs_peer *p, const char *from, const char *to)
{
	struct source *renamed = find(p, from);
	for (struct source *s = p->source; s < p->source + p->sources; s++) {
		for (unsigned i = 0; i < s->items; i++)
			if (!strcmp(s->item[i], from))
				snprintf(s->item[i], sizeof(s->item[i]), "%s", to);
	}
	for (struct filter *f = p->filter; f < p->filter + p->filters; f++)
		if (!strcmp(f->source, from))
			snprintf(f->source, sizeof(f->source), "%s", to);
	snprintf(renamed->name, sizeof(renamed->name), "%s", to);
}

static void
remove_item(struct source *s, const char *name)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->items; i++)
		if (strcmp(s->item[i], name) != 0)
			memmove(s->item[n++], s->item[i], sizeof(s->item[0]));
	s->items = n;
}

void
obs_peer_remove(struct obs_peer *p, const char *name)
{
	find(p, name)->gone = true;
	for (struct source *s = p->source; s < p->source + p->sources; s++)
		remove_item(s, name);
}

void
obs_peer_add_item(struct obs_peer *p, const char *scene, const char *item)
{
	struct source *s = find(p, scene);
	must(s->items < ITEMS, "too many items in %s", scene);
	snprintf(s->item[s->items++], sizeof(s->item[0]), "%s", item);
}

void
obs_peer_volume(struct obs_peer *p, const char *name, double volume)
{
	find(p, name)->volume = volume;
}

/* ------------------------------------------------------------------ its files */

static FILE *
create(const struct obs_peer *p, const char *name)
{
	char path[192];
	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	FILE *f = fopen(path, "w");
	must(f, "%s: %m", path);
	return f;
}

static void
finish(FILE *f)
{
	must(fclose(f) == 0, "%m");
}

static void
write_settings(const struct obs_peer *p)
{
	FILE *f = create(p, "obs-studio/global.ini");
	fprintf(f, "[General]\nFirstRun=true\n"
		   "[Basic]\nProfile=gw\nProfileDir=gw\nSceneCollection=gw\nSceneCollectionFile=gw\n"
		   "[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort=%u\nAlertsEnabled=false\nAuthRequired=%s\n"
		   "ServerPassword=%s\n",
		p->port, p->password[0] ? "true" : "false", p->password);
	finish(f);
	f = create(p, "obs-studio/basic/profiles/gw/basic.ini");
	/* RecQuality: with the encoder of the stream a recording could not be paused. */
	fprintf(f, "[General]\nName=gw\n[Output]\nMode=Simple\n"
		   "[SimpleOutput]\nFilePath=%s/rec\nRecFormat=mkv\nRecQuality=Small\nRecEncoder=x264\nStreamEncoder=x264\nVBitrate=300\n"
		   "RecRB=true\nRecRBTime=5\n"
		   "[Video]\nBaseCX=320\nBaseCY=180\nOutputCX=320\nOutputCY=180\nFPSCommon=10\n",
		p->dir);
	finish(f);
}

static void
put_text(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++)
		fprintf(f, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	fputc('"', f);
}

static void
put_kind(FILE *f, const char *name, const char *kind)
{
	fputs("{\"name\":", f);
	put_text(f, name);
	fprintf(f, ",\"id\":\"%s\",\"versioned_id\":\"%s\",\"settings\":", kind, kind);
}

static void
put_filters(FILE *f, const struct obs_peer *p, const char *source)
{
	const char *between = "";
	fputs(",\"filters\":[", f);
	for (const struct filter *x = p->filter; x < p->filter + p->filters; x++) {
		if (strcmp(x->source, source) != 0)
			continue;
		fputs(between, f);
		put_kind(f, x->name, x->kind);
		fprintf(f, "%s}", x->settings);
		between = ",";
	}
	fputs("]", f);
}

static bool
is_scene(const struct source *s)
{
	return !strcmp(s->kind, "scene");
}

static bool
is_group(const struct source *s)
{
	return !strcmp(s->kind, "group");
}

static void
put_items(FILE *f, const struct source *s)
{
	fprintf(f, "{%s\"id_counter\":%u,\"items\":[", is_group(s) ? "\"custom_size\":true,\"cx\":320,\"cy\":180," : "", s->items + 1);
	for (unsigned i = 0; i < s->items; i++) {
		fprintf(f, "%s{\"name\":", i ? "," : "");
		put_text(f, s->item[i]);
		fprintf(f, ",\"id\":%u,\"visible\":true,\"align\":5,\"scale\":{\"x\":1.0,\"y\":1.0}}", i + 1);
	}
	fputs("]}", f);
}

static void
put_sources(FILE *f, const struct obs_peer *p, bool groups)
{
	const char *between = "";
	for (const struct source *s = p->source; s < p->source + p->sources; s++) {
		if (s->gone || is_group(s) != groups)
			continue;
		fputs(between, f);
		put_kind(f, s->name, s->kind);
		if (is_scene(s) || is_group(s))
			put_items(f, s);
		else
			fputs(s->settings, f);
		fprintf(f, ",\"mixers\":255,\"volume\":%.6f", s->volume);
		put_filters(f, p, s->name);
		fputs("}", f);
		between = ",";
	}
}

static void
write_collection(const struct obs_peer *p)
{
	const struct source *first = NULL;
	FILE *f = create(p, "obs-studio/basic/scenes/gw.json");
	fputs("{\"name\":\"gw\",\"transition_duration\":300,\"scene_order\":[", f);
	for (const struct source *s = p->source; s < p->source + p->sources; s++) {
		if (s->gone || !is_scene(s))
			continue;
		fprintf(f, "%s{\"name\":", first ? "," : "");
		put_text(f, s->name);
		fputs("}", f);
		first = first ? first : s;
	}
	must(first, "no scene");
	fputs("],\"current_scene\":", f);
	put_text(f, first->name);
	fputs(",\"current_program_scene\":", f);
	put_text(f, first->name);
	fputs(",\"groups\":[", f);
	put_sources(f, p, true);
	fputs("],\"sources\":[", f);
	put_sources(f, p, false);
	fputs("]}", f);
	finish(f);
}

static void
make_dir(const struct obs_peer *p, const char *name)
{
	char path[192];
	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	must(mkdir(path, 0700) == 0, "%s: %m", path);
}

struct obs_peer *
obs_peer_new(uint16_t port, const char *password)
{
	static const char *const dirs[] = {"obs-studio", "obs-studio/basic", "obs-studio/basic/profiles", "obs-studio/basic/profiles/gw",
					   "obs-studio/basic/scenes", "run", "rec", "tmp"};
	struct obs_peer *p = calloc(1, sizeof(*p));
	must(p, "%m");
	snprintf(p->dir, sizeof(p->dir), "%s/bh-obs-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(p->dir), "%m");
	set_guard(p);
	for (unsigned i = 0; i < BH_ARRAY_LEN(dirs); i++)
		make_dir(p, dirs[i]);
	p->port = port;
	obs_peer_set_password(p, password);
	return p;
}

void
obs_peer_set_port(struct obs_peer *p, uint16_t port)
{
	p->port = port;
}

void
obs_peer_set_password(struct obs_peer *p, const char *password)
{
	snprintf(p->password, sizeof(p->password), "%s", password ? password : "");
}

/* ------------------------------------------------------------------ running it */

/* Both ends of output go to a file of the peer's folder; none of the test's descriptors is left but `keep`. */
static void
arrange_child(const struct obs_peer *p, const char *log, int keep)
{
	char path[192];
	setpgid(0, 0);
	snprintf(path, sizeof(path), "%s/%s", p->dir, log);
	int in = open("/dev/null", O_RDONLY), out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (keep >= 0)
		dup2(keep, 3);
	closefrom(keep >= 0 ? 4 : 3);
	if (chdir(p->dir) < 0)
		_exit(126);
}

static void
run_xvfb(const struct obs_peer *p, int display_fd)
{
	arrange_child(p, "xvfb.log", display_fd);
	execlp("Xvfb", "Xvfb", "-displayfd", "3", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset", (char *)NULL);
	_exit(127);
}

static void
start_xvfb(struct obs_peer *p)
{
	int ends[2];
	char number[16] = "";
	size_t len = 0;
	must(pipe2(ends, O_CLOEXEC) == 0, "%m");
	p->xvfb = fork();
	must(p->xvfb >= 0, "%m");
	if (p->xvfb == 0)
		run_xvfb(p, ends[1]);
	tell_guard(p, '+', p->xvfb);
	close(ends[1]);
	for (ssize_t n; len < sizeof(number) - 1 && !strchr(number, '\n') && (n = read(ends[0], number + len, sizeof(number) - 1 - len)) > 0;)
		len += (size_t)n;
	close(ends[0]);
	must(strchr(number, '\n'), "Xvfb gives no display");
	p->display = atoi(number);
}

static void
run_obs(const struct obs_peer *p)
{
	char display[16], run[96], tmp[96];
	arrange_child(p, "obs.log", -1);
	snprintf(display, sizeof(display), ":%d", p->display);
	snprintf(run, sizeof(run), "%s/run", p->dir);
	snprintf(tmp, sizeof(tmp), "%s/tmp", p->dir);
	setenv("DISPLAY", display, 1);
	setenv("HOME", p->dir, 1);
	setenv("XDG_CONFIG_HOME", p->dir, 1);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("TMPDIR", tmp, 1);
	setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
	setenv("QT_QPA_PLATFORM", "xcb", 1);
	unsetenv("LD_PRELOAD");
	unsetenv("PULSE_SERVER");
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	execlp("obs", "obs", "--multi", "--minimize-to-tray", "--disable-updater", (char *)NULL);
	_exit(127);
}

static bool
answers(const struct obs_peer *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	bh_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

void
obs_peer_start_again(struct obs_peer *p)
{
	uint64_t end_ns = bh_mono_ns() + PATIENCE_MS * BH_NS_PER_MS;
	must(!p->obs, "it runs already");
	/* By the one of a test that failed, for as long as its guard needs. */
	while (answers(p)) {
		must(bh_mono_ns() < end_ns, "port %u is taken", p->port);
		usleep(5000);
	}
	if (!p->xvfb)
		start_xvfb(p);
	p->obs = fork();
	must(p->obs >= 0, "%m");
	if (p->obs == 0)
		run_obs(p);
	tell_guard(p, '+', p->obs);
	while (!answers(p)) {
		int status;
		must(waitpid(p->obs, &status, WNOHANG) == 0, "OBS ended, status %x:\n%s", status, obs_peer_log(p));
		must(bh_mono_ns() < end_ns, "OBS does not listen:\n%s", obs_peer_log(p));
		usleep(5000);
	}
}

void
obs_peer_start(struct obs_peer *p)
{
	write_settings(p);
	write_collection(p);
	obs_peer_start_again(p);
}

static void
reap(struct obs_peer *p, pid_t *pid)
{
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	tell_guard(p, '-', *pid);
	*pid = 0;
}

void
obs_peer_kill(struct obs_peer *p)
{
	must(p->obs, "it does not run");
	kill(p->obs, SIGKILL);
	reap(p, &p->obs);
}

void
obs_peer_suspend(struct obs_peer *p)
{
	must(kill(p->obs, SIGSTOP) == 0, "%m");
	must(waitpid(p->obs, NULL, WUNTRACED) == p->obs, "%m");
}

void
obs_peer_resume(struct obs_peer *p)
{
	must(kill(p->obs, SIGCONT) == 0, "%m");
}

void
obs_peer_free(struct obs_peer *p)
{
	if (!p)
		return;
	if (p->obs)
		obs_peer_kill(p);
	if (p->xvfb) {
		kill(p->xvfb, SIGTERM);
		reap(p, &p->xvfb);
	}
	tell_guard(p, 'k', 0);
	close(p->guard_fd);
	remove_tree(p->dir);
	free(p);
}

/* ------------------------------------------------------------------ looking at it */

pid_t
obs_peer_pid(const struct obs_peer *p)
{
	return p->obs;
}

uint16_t
obs_peer_port(const struct obs_peer *p)
{
	return p->port;
}

const char *
obs_peer_password(const struct obs_peer *p)
{
	return p->password[0] ? p->password : NULL;
}

const char *
obs_peer_dir(const struct obs_peer *p)
{
	return p->dir;
}

const char *
obs_peer_log(const struct obs_peer *p)
{
	static char text[8192];
	char path[192];
	snprintf(path, sizeof(path), "%s/obs.log", p->dir);
	bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, from);
	text[n > 0 ? n : 0] = 0;
	return text;
}

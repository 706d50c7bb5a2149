/*
 * verb_setup.c - look what is there, and write a configuration to begin with
 *
 * In:    what setup.h finds; passwords from the terminal, if there is one
 * Out:   a commented file that `bulkhead check` passes; an existing one is left alone without --force
 * Fails: nothing found is no failure: then the file has the simulated desk. A file that would not pass is not written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/paths.h"
#include "supervisor/ctl/check.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/setup.h"

/* ------------------------------------------------------------------ what our drivers can do today */

static bool
kind_has(const char *kind, const char *key)
{
	char sub[80], path[PATH_MAX], line[300], want[80];
	snprintf(sub, sizeof(sub), "kinds/%s.yaml", kind);
	if (bh_path_data(path, sizeof(path), sub) < 0)
		return false;
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool has = key == NULL;
	/* Keys of their own stand two blanks in, those of lists further. */
	snprintf(want, sizeof(want), "  - key: \"%s\"", key ? key : "");
	while (!has && fgets(line, sizeof(line), f))
		has = strncmp(line, want, strlen(want)) == 0;
	fclose(f);
	return has;
}

static void
look_at_kinds(struct setup_answers *a, const struct setup_places *p)
{
	for (unsigned b = 0; b < SETUP_BACKENDS; b++) {
		const char *name = setup_backend_name((enum setup_backend)b);
		a->has_kind[b] = kind_has(name, NULL);
		a->has_port_key[b] = a->has_kind[b] && kind_has(name, "port");
		a->has_password_key[b] = a->has_kind[b] && kind_has(name, "password");
		a->port[b] = p->port[b];
	}
	a->has_midi = kind_has("midi", NULL);
}

/* ------------------------------------------------------------------ passwords */

/* A line from the terminal that is not shown. False: there was none. */
static bool
ask_secret(const char *what, char *out, size_t cap)
{
	struct termios was, quiet;
	fprintf(stderr, "Password of %s (Enter = later): ", what);
	if (tcgetattr(STDIN_FILENO, &was) < 0)
		return false;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	bool got = fgets(out, (int)cap, stdin) != NULL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	fputc('\n', stderr);
	out[got ? strcspn(out, "\n") : 0] = '\0';
	return got && out[0];
}

static void
ask_passwords(const struct setup_found *f, struct setup_answers *a, char (*room)[128])
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return;
	for (unsigned b = 0; b < SETUP_BACKENDS; b++)
		if (f->backend[b].found && f->backend[b].needs_password && a->has_kind[b] && a->has_password_key[b] &&
		    ask_secret(f->backend[b].detail, room[b], sizeof(room[b])))
			a->password[b] = room[b];
}

/* ------------------------------------------------------------------ the file */

static int
make_folder(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static int
usual_file(char *path, size_t cap)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && *xdg)
		snprintf(path, cap, "%s/bulkhead/bulkhead.yaml", xdg);
	else if (home && *home)
		snprintf(path, cap, "%s/.config/bulkhead/bulkhead.yaml", home);
	else
		return -ENOENT;
	return 0;
}

/* A whole file beside the one that is meant, for its owner alone if it is secret. 0 or -errno. */
static int
write_beside(const char *path, char *beside, size_t cap, const struct setup_found *f, const struct setup_answers *a)
{
	/* Its name ends as the file's does, and no two of us have the same. */
	snprintf(beside, cap, "%s.%d.new", path, getpid());
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, setup_is_secret(f, a) ? 0600 : 0644);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out)
		return -errno;
	setup_write(out, f, a);
	bool well = fflush(out) == 0 && fsync(fd) == 0;
	int err = errno;
	if (fclose(out) != 0 && well) {
		well = false;
		err = errno;
	}
	return well ? 0 : -err;
}

/* Into its place. Without `force` an existing file stays: -EEXIST. */
static int
put_in_place(const char *beside, const char *path, bool force)
{
	if (force)
		return rename(beside, path) < 0 ? -errno : 0;
	if (link(beside, path) < 0)
		return -errno;
	unlink(beside);
	return 0;
}

static int
refuse_existing(struct ctl *ctl, const char *path)
{
	return ctl_error(ctl, "refused", "--force writes it anew, -o FILE writes another", "%s is there already; nothing was written", path);
}

static int
write_file(struct ctl *ctl, const char *path, const struct setup_found *f, struct setup_answers *a)
{
	static char text[16384];
	char beside[PATH_MAX + 32];
	if (!ctl->force && access(path, F_OK) == 0)
		return refuse_existing(ctl, path);
	int r = make_folder(path), checked = 0;
	for (unsigned tries = 0; r == 0 && tries < 2; tries++) {
		a->only_loop = tries > 0; /* a driver of another version: better as a comment than not at all */
		r = write_beside(path, beside, sizeof(beside), f, a);
		if (r == 0)
			checked = ctl_try_config(beside, text, sizeof(text));
		if (r < 0 || checked == 0)
			break;
	}
	if (r == 0 && checked != 0) {
		unlink(beside);
		return ctl_error(ctl, "failed", "is Bulkhead installed in full?", "what was made does not pass the check: %.250s", text);
	}
	if (r == 0)
		r = put_in_place(beside, path, ctl->force);
	if (r < 0)
		unlink(beside);
	if (r == -EEXIST)
		return refuse_existing(ctl, path);
	return r < 0 ? ctl_error(ctl, "failed", NULL, "%s: %s", path, strerror(-r)) : CTL_OK;
}

/* ------------------------------------------------------------------ telling */

static void
tell_text(const struct setup_found *f, const struct setup_answers *a, const char *path)
{
	unsigned n = 0;
	for (unsigned i = 0; i < f->cards; i++, n++)
		printf("%-12s %s%s%s\n", f->card[i].device[0] ? f->card[i].device : "midi card", f->card[i].name, f->card[i].usb[0] ? ", USB " : "",
		       f->card[i].usb);
	for (unsigned i = 0; i < f->peers; i++, n++)
		printf("%-12s %s:%s\n", "sequencer", f->peer[i].client, f->peer[i].port);
	for (unsigned b = 0; b < SETUP_BACKENDS; b++)
		if (f->backend[b].found && ++n)
			printf("%-12s %s%s%s\n", setup_backend_name((enum setup_backend)b), f->backend[b].detail,
			       f->backend[b].needs_password ? a->password[b] ? "; it has the password" : "; it asks for a password" : "",
			       a->has_kind[b] ? "" : "; no driver for it yet");
	if (!n)
		printf("nothing was found: the configuration has the simulated desk\n");
	printf("%s is written; `bulkhead run -c %s` starts it\n", path, path);
}

static void
json_pair(const char *key, const char *value)
{
	printf("\"%s\":", key);
	ctl_json_string(stdout, value, strlen(value));
}

static void
tell_json(const struct setup_found *f, const struct setup_answers *a, const char *path)
{
	printf("{\"ok\":true,");
	json_pair("file", path);
	printf(",\"surfaces\":[");
	for (unsigned i = 0; i < f->cards; i++) {
		printf("%s{", i ? "," : "");
		json_pair("name", f->card[i].name);
		printf(",");
		json_pair("usb", f->card[i].usb);
		printf(",");
		json_pair("device", f->card[i].device);
		printf("}");
	}
	printf("],\"sequencer\":[");
	for (unsigned i = 0; i < f->peers; i++) {
		printf("%s{", i ? "," : "");
		json_pair("client", f->peer[i].client);
		printf(",");
		json_pair("port", f->peer[i].port);
		printf("}");
	}
	printf("],\"backends\":[");
	for (unsigned b = 0, n = 0; b < SETUP_BACKENDS; b++) {
		if (!f->backend[b].found)
			continue;
		printf("%s{", n++ ? "," : "");
		json_pair("name", setup_backend_name((enum setup_backend)b));
		printf(",");
		json_pair("detail", f->backend[b].detail);
		printf(",\"needs_password\":%s,\"driver\":%s}", f->backend[b].needs_password ? "true" : "false",
		       a->has_kind[b] ? "true" : "false");
	}
	printf("]}\n");
}

int
verb_setup(struct ctl *ctl, int argc, char **argv)
{
	static struct setup_found found;
	static char passwords[SETUP_BACKENDS][128], path[PATH_MAX], devices[PATH_MAX];
	struct setup_places places = setup_usual;
	struct setup_answers answers = {0};
	(void)argc, (void)argv;
	if (ctl->ports && setup_ports(&places, ctl->ports) < 0)
		return ctl_error(ctl, "bad-value", "as in obs=4455,qlcplus=9999,mqtt=1883; 0 looks for none", "--ports does not understand \"%s\"",
				 ctl->ports);
	if (ctl->output)
		snprintf(path, sizeof(path), "%s", ctl->output);
	else if (usual_file(path, sizeof(path)) < 0)
		return ctl_error(ctl, "bad-request", NULL, "there is no home folder: say where by -o FILE");
	/* Before anybody is asked for a password. */
	if (!ctl->force && access(path, F_OK) == 0)
		return refuse_existing(ctl, path);
	const char *elsewhere = getenv("BULKHEAD_ASOUND"); /* for tests */
	if (elsewhere)
		places.asound = places.snd = elsewhere;
	places.devices = bh_path_data(devices, sizeof(devices), "devices") == 0 ? devices : NULL;
	places.runtime = getenv("XDG_RUNTIME_DIR");
	look_at_kinds(&answers, &places);
	setup_look_at_cards(&places, &found);
	setup_probe(&places, &found);
	ask_passwords(&found, &answers, passwords);
	int code = write_file(ctl, path, &found, &answers);
	if (code == CTL_OK && ctl->json)
		tell_json(&found, &answers, path);
	else if (code == CTL_OK)
		tell_text(&found, &answers, path);
	explicit_bzero(passwords, sizeof(passwords));
	return code;
}

/* obs_load.c - see obs_load.h */
#include "tests/lib/obs_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/lib/must.h"

#define PORT 4455
#define PASSWORD "secret123"

static void
put_page(FILE *f, const char *name, bool meters)
{
	fprintf(f, "  - name: %s\n    bindings:\n", name);
	for (int n = 0; n < OBS_LOAD_INPUTS; n++) {
		fprintf(f, "      d%d/fader%d: obs/input/In %02d/volume\n", n / 8, n % 8 + 1, n);
		if (meters)
			fprintf(f, "      d%d/meter%d: obs/input/In %02d/meter\n", n / 8, n % 8 + 1, n);
	}
}

static char *
make_yaml(const char *options)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	must(f, "%m");
	fputs("bulkhead: 1\nsurfaces:\n", f);
	for (int k = 0; k < OBS_LOAD_DESKS; k++)
		fprintf(f, "  d%d: {device: x-touch, transport: socket, path: \"@DIR@/d%d/desk.sock\"}\n", k, k);
	fprintf(f, "drivers: {obs: {kind: obs, port: %d, password: %s%s}}\n" PIPELINE_PATIENT "pages:\n", PORT, PASSWORD, options);
	put_page(f, "Meters", true);
	put_page(f, "Bare", false);
	must(fclose(f) == 0, "%m");
	return text;
}

static void
start_obs(struct obs_load *l)
{
	char name[OBS_LOAD_INPUTS][8];
	l->obs = obs_peer_new(PORT, PASSWORD);
	obs_peer_colour(l->obs, "Red", 0xff0000ff);
	for (int n = 0; n < OBS_LOAD_INPUTS; n++) {
		snprintf(name[n], sizeof(name[n]), "In %02d", n);
		obs_peer_tone(l->obs, name[n], 200 + 10 * (unsigned)(n % 4), 0.1);
	}
	obs_peer_scene(l->obs, "One", "Red", NULL);
	for (int n = 0; n < OBS_LOAD_INPUTS; n++)
		obs_peer_add_item(l->obs, "One", name[n]);
	obs_peer_start(l->obs);
}

void
obs_load_start(struct obs_load *l, const char *options)
{
	char dir[128];
	bh_autofree char *yaml = make_yaml(options);
	memset(l, 0, sizeof(*l));
	start_obs(l);
	pipeline_prepare(&l->pl, yaml);
	for (int k = 0; k < OBS_LOAD_DESKS; k++) {
		snprintf(dir, sizeof(dir), "%s/d%d", l->pl.dir, k);
		must(mkdir(dir, 0700) == 0, "%m");
		l->desk[k] = simdesk_start(dir, NULL);
		must(l->desk[k], "%m");
	}
	pipeline_run(&l->pl);
	must(pipeline_until(20000, pipeline_all_ok(&l->pl)), "not all is ok: %s", pipeline_log(&l->pl));
}

void
obs_load_configure(struct obs_load *l, const char *options)
{
	char out[1024];
	bh_autofree char *yaml = make_yaml(options);
	pipeline_config(&l->pl, yaml);
	int r = pipeline_tool(&l->pl, out, sizeof(out), "bulkhead", "reload", NULL);
	must(r == 0, "bulkhead reload ends with %d: %s", r, out);
}

void
obs_load_stop(struct obs_load *l)
{
	pipeline_stop(&l->pl);
	for (int k = 0; k < OBS_LOAD_DESKS; k++)
		simdesk_stop(l->desk[k]);
	pipeline_clean(&l->pl);
	obs_peer_free(l->obs);
}

void
obs_load_page(struct obs_load *l, const char *page)
{
	char out[1024];
	int r = pipeline_tool(&l->pl, out, sizeof(out), "bulkhead", "page", page, NULL);
	must(r == 0, "bulkhead page %s ends with %d: %s", page, r, out);
}

/* The meter falls by itself: who shows a level is told it again and again. */
bool
obs_load_meter_moves(struct obs_load *l, int n)
{
	return simdesk_do(l->desk[n / 8], "expect meter %d > 0", n % 8 + 1) == SIMDESK_OK;
}

static uint64_t
bytes_in(struct obs_load *l)
{
	const struct bh_self *self = pipeline_self(&l->pl, "obs");
	return self ? __atomic_load_n(&self->counter[BH_CNT_BYTES_IN], __ATOMIC_RELAXED) : 0;
}

/* But for what is asked for once in a second: less than one meter message of forty inputs takes. */
bool
obs_load_is_silent(struct obs_load *l)
{
	uint64_t before = bytes_in(l);
	usleep(500000);
	return bytes_in(l) - before < 2000;
}

double
obs_load_private_dirty_kb(struct obs_load *l)
{
	char path[64], line[256];
	long kb = -1;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pipeline_pid(&l->pl, "obs"));
	FILE *f = fopen(path, "re");
	must(f, "%s: %m", path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Private_Dirty: %ld", &kb);
	fclose(f);
	must(kb >= 0, "no Private_Dirty in %s", path);
	return (double)kb;
}

static uint64_t
ran_ns(struct obs_load *l)
{
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pipeline_pid(&l->pl, "obs"));
	FILE *f = fopen(path, "re");
	must(f && fscanf(f, "%llu", &ns) == 1, "%s", path);
	fclose(f);
	return ns;
}

static uint64_t
slept(struct obs_load *l)
{
	char path[64], line[128];
	unsigned long long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pipeline_pid(&l->pl, "obs"));
	FILE *f = fopen(path, "re");
	must(f, "%s: %m", path);
	while (fgets(line, sizeof(line), f) && sscanf(line, "voluntary_ctxt_switches: %llu", &n) != 1)
		;
	fclose(f);
	return n;
}

struct obs_load_use
obs_load_use(struct obs_load *l, unsigned seconds)
{
	const uint64_t began = bh_mono_ns(), ran = ran_ns(l), sleeps = slept(l);
	sleep(seconds);
	const double ns = (double)(bh_mono_ns() - began);
	return (struct obs_load_use){.share = (double)(ran_ns(l) - ran) / ns, .wakeups = (double)(slept(l) - sleeps) * 1e9 / ns};
}

/*
 * The room comes back: after a clean end, after a power cut, after a damaged snapshot; and a full disk harms nobody.
 *
 * The power cut kills all processes at once; what was written to disk by then is what is left. The full disk is a small tmpfs in a mount
 * namespace of the test's own; where that is not allowed (neither root nor user namespaces) the test says so and is not run.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "procs/router/taper.h"
#include "procs/store/snapshot.h"
#include "tests/lib/pipeline.h"
#include "tests/lib/simdesk.h"

#define CONFIG(delay, bus) \
	"bulkhead: 1\n" \
	"surfaces: {desk: {device: x-touch, transport: socket, path: \"@DIR@/desk.sock\"}}\n" \
	"drivers:\n" \
	"  loop: {kind: loop, channels: 8, meters: false}\n" \
	"  bus: {kind: loop, channels: 4, meters: false" bus "}\n" \
	"store: {delay_ms: " delay "}\n" \
	"supervisor: {stop_ms: 60s}\n" PIPELINE_PATIENT \
	"router: {" PIPELINE_PATIENT_PRESSES "}\n" \
	"pages:\n" \
	"  - name: Mix\n" \
	"    bindings:\n" \
	"      fader1: loop/ch1/level\n" \
	"      mute1: loop/ch1/mute\n" \
	"      strip1: {strip: loop/ch1/level, text: One}\n" \
	"  - name: Talk\n" \
	"    bindings:\n" \
	"      fader1: loop/ch3/level\n" \
	"      fader2: loop/ch4/level\n" \
	"      fader3: bus/ch1/level\n" \
	"      mute1: loop/ch3/mute\n" \
	"      mute2: loop/ch4/mute\n" \
	"      vpot1: {relative: loop/ch3/pan, step: 0.1, ring: pan}\n" \
	"      strip1: {strip: loop/ch3/level, text: Three}\n" \
	"      strip3: {strip: bus/ch1/level, text: Bus}\n" \
	"      assign: {display: page}\n"

static struct pipeline pl;
static struct simdesk *desk;
static char out[65536], state_dir[128];

static bool
is_health(const char *name, enum bh_health health)
{
	struct bh_proc_body b;
	return pipeline_body(&pl, name, &b) && b.health.health == health;
}

/* All but the store, which may be degraded, and comes when it comes: the room is ready without it. */
static bool
room_is_ready(void)
{
	static const char *const names[] = {"desk", "loop", "router", "control"};
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		if (!pipeline_is_ok(&pl, names[i]))
			return false;
	return pipeline_is_ok(&pl, "bus") || is_health("bus", BH_HEALTH_STOPPED);
}

static void
run(void)
{
	pipeline_run(&pl);
	ck_assert_msg(pipeline_until(20000, room_is_ready()), "not all is ok:\n%s", pipeline_log(&pl));
	simdesk_must(desk, "wait peer");
}

static void
prepare(const char *yaml)
{
	pipeline_prepare(&pl, yaml);
	snprintf(state_dir, sizeof(state_dir), "%s/state", pl.dir);
	desk = simdesk_start(pl.dir, NULL);
	ck_assert_ptr_nonnull(desk);
}

static void
end(void)
{
	pipeline_stop(&pl);
	simdesk_stop(desk);
	pipeline_clean(&pl);
}

static int
tool(const char *a, const char *b, const char *c, const char *d)
{
	return pipeline_tool(&pl, out, sizeof(out), "bulkhead", a, b, c, d, NULL);
}

static void
must(const char *a, const char *b, const char *c, const char *d)
{
	int r = tool(a, b, c, d);
	ck_assert_msg(r == 0, "bulkhead %s %s %s %s ends with %d: %s\n%s", a, b ? b : "", c ? c : "", d ? d : "", r, out,
		      pipeline_log(&pl));
}

static int
position_of(double level_db)
{
	static const struct bh_taper_range level_range = {BH_TAPER_FADER_DB, -90, 10, 0};
	return (int)lround(bh_taper_position(&level_range, level_db) * 16380);
}

static bool
has_number(const char *driver, const char *param, double x)
{
	return pipeline_number(&pl, driver, param) == x;
}

static void
expect_number(const char *driver, const char *param, double x)
{
	ck_assert_msg(pipeline_until(10000, has_number(driver, param, x)), "%s/%s is %g and not %g\n%s", driver, param,
		      pipeline_number(&pl, driver, param), x, pipeline_log(&pl));
}

/* What the store says of itself, once it has begun to serve. */
static void
expect_degraded_store(struct bh_proc_body *b)
{
	ck_assert_msg(pipeline_until(10000, pipeline_body(&pl, "store", b) && b->health.health != BH_HEALTH_STARTING),
		      "the store does not start:\n%s", pipeline_log(&pl));
	ck_assert_msg(b->health.health == BH_HEALTH_DEGRADED, "the store is %s\n%s", bh_health_name(b->health.health),
		      pipeline_log(&pl));
}

/* ------------------------------------------------------------------ snapshots */

/* Of the newest one: the number under a name, NAN if it is not there. `generation` may be NULL. */
static double
saved(const char *name, uint64_t *generation)
{
	struct snapshot s;
	char why[120];
	double x = NAN;
	ck_assert_int_eq(snapshot_init(&s), 0);
	if (snapshot_read(&s, state_dir, why, sizeof(why)) >= 0) {
		for (uint32_t i = 0; i < s.count; i++)
			if (!strcmp(s.entry[i].name, name))
				x = s.entry[i].type == BH_FLOAT ? s.entry[i].v.f : (double)s.entry[i].v.i;
		if (generation)
			*generation = s.generation;
	}
	snapshot_fini(&s);
	return x;
}

static bool
saved_page(const char *page)
{
	struct snapshot s;
	char why[120];
	bool same = false;
	ck_assert_int_eq(snapshot_init(&s), 0);
	if (snapshot_read(&s, state_dir, why, sizeof(why)) >= 0)
		for (uint32_t i = 0; i < s.count; i++)
			same |= !strcmp(s.entry[i].name, "page") && !strncmp(s.entry[i].v.s, page, BH_TEXT_MAX);
	snapshot_fini(&s);
	return same;
}

/* ------------------------------------------------------------------ the room */

struct room {
	double level3, level4, bus1, level1, pan3;
};

/* What hands did has come to the mixers, and to the motors from there. */
static bool
is_where_the_fader_is(const char *driver, const char *param, int fader)
{
	return pipeline_settled(&pl, driver, param) &&
	       abs(position_of(pipeline_number(&pl, driver, param)) - simdesk_pos(desk, fader)) <= 8;
}

/* Hands and the tool change things; page Talk is shown in the end. */
static void
change_room(struct room *r)
{
	must("set", "loop/ch1/level", "--", "-17.5");
	must("set", "loop/ch1/mute", "1", NULL);
	must("page", "Talk", NULL, NULL);
	simdesk_must(desk, "expect digits assignment \"TA\" within 30s");
	simdesk_must(desk, "move 1 0.62 over 0.1s touching; move 2 0.31 over 0.1s touching; move 3 0.8 over 0.1s touching; turn 1 3; tap mute2; "
			   "wait hands; wait motors within 30s; expect led mute2 on within 30s; expect quiet for 400ms within 30s");
	expect_number("loop", "ch1/level", -17.5);
	expect_number("loop", "ch1/mute", 1);
	expect_number("loop", "ch4/mute", 1);
	ck_assert(pipeline_until(10000, fabs(pipeline_number(&pl, "loop", "ch3/pan") - 0.3) < 1e-9));
	ck_assert_msg(pipeline_until(10000, is_where_the_fader_is("loop", "ch3/level", 1) && is_where_the_fader_is("loop", "ch4/level", 2) &&
						    is_where_the_fader_is("bus", "ch1/level", 3)),
		      "the faders stand at %d, %d and %d\n%s", simdesk_pos(desk, 1), simdesk_pos(desk, 2), simdesk_pos(desk, 3),
		      pipeline_log(&pl));
	r->level1 = -17.5;
	r->level3 = pipeline_number(&pl, "loop", "ch3/level");
	r->level4 = pipeline_number(&pl, "loop", "ch4/level");
	r->bus1 = pipeline_number(&pl, "bus", "ch1/level");
	r->pan3 = pipeline_number(&pl, "loop", "ch3/pan");
}

static void
expect_fader(int n, double level_db)
{
	int want = position_of(level_db);
	simdesk_must(desk, "expect target %d %d +-4 within 30s; wait motors within 30s; expect fader %d %d +-8 within 30s", n, want, n, want);
}

/* In the backend, and on a desk that has lost its power, too. */
static void
expect_room(const struct room *r)
{
	expect_number("loop", "ch1/level", r->level1);
	expect_number("loop", "ch1/mute", 1);
	expect_number("loop", "ch3/level", r->level3);
	expect_number("loop", "ch4/level", r->level4);
	expect_number("loop", "ch3/pan", r->pan3);
	expect_number("loop", "ch3/mute", 0);
	expect_number("loop", "ch4/mute", 1);
	simdesk_must(desk, "expect digits assignment \"TA\" within 30s; expect led mute2 on within 30s; expect led mute1 off within 30s");
	expect_fader(1, r->level3);
	expect_fader(2, r->level4);
	must("pages", "--json", NULL, NULL);
	ck_assert_msg(strstr(out, "\"shown\":\"Talk\"") != NULL, "the page is another: %s", out);
	ck_assert_uint_eq(simdesk_counter(desk, "fights"), 0);
}

static void
desk_power_cycle(void)
{
	simdesk_must(desk, "unplug; plug fresh");
	/* Somebody moves the caps while nobody looks. */
	simdesk_must(desk, "move 1 0.1; move 2 0.9; move 3 0.05");
}

START_TEST(after_a_clean_stop_page_and_values_come_back)
{
	struct room room;
	prepare(CONFIG("50ms", ""));
	run();
	change_room(&room);
	pipeline_stop(&pl);
	/* A clean stop writes the last of it. */
	ck_assert_double_eq(saved("loop/ch3/level", NULL), room.level3);
	ck_assert(saved_page("Talk"));
	desk_power_cycle();
	run();
	expect_room(&room);
	expect_number("bus", "ch1/level", room.bus1);
	expect_fader(3, room.bus1);
	end();
}
END_TEST

/* A camera is chosen, the room is quiet, a modifier is held. */
START_TEST(after_a_clean_stop_the_room_comes_back_but_no_held_key)
{
	prepare(CONFIG("50ms", "") "layers: [shift]\nvariables:\n  camera: {choices: [Main, Left], default: Main}\n");
	run();
	must("set", "room/var/camera", "Left", NULL);
	must("set", "room/layer/shift", "on", NULL);
	must("set", "room/quiet", "on", NULL);
	must("get", "room/layer/shift", NULL, NULL);
	ck_assert_msg(strstr(out, "on") != NULL, "%s", out);
	pipeline_stop(&pl);
	run();
	ck_assert_msg(pipeline_until(20000, tool("get", "room/var/camera", NULL, NULL) == 0 && strstr(out, "Left")), "%s", out);
	ck_assert_msg(pipeline_until(20000, tool("get", "room/quiet", NULL, NULL) == 0 && strstr(out, "on")), "%s", out);
	must("get", "room/layer/shift", NULL, NULL);
	ck_assert_msg(strstr(out, "off") != NULL, "%s", out);
	end();
}
END_TEST

START_TEST(after_a_power_cut_page_and_values_come_back)
{
	struct room room;
	prepare(CONFIG("50ms", ""));
	run();
	change_room(&room);
	ck_assert_msg(pipeline_until(10000, saved("loop/ch3/level", NULL) == room.level3 &&
						    saved("loop/ch4/mute", NULL) == 1 && saved("bus/ch1/level", NULL) == room.bus1 &&
						    saved("loop/ch3/pan", NULL) == room.pan3 && saved_page("Talk")),
		      "what changed is not saved:\n%s", pipeline_log(&pl));
	pipeline_crash(&pl);
	desk_power_cycle();
	run();
	expect_room(&room);
	expect_number("bus", "ch1/level", room.bus1);
	expect_fader(3, room.bus1);
	/* Once more, without a change in between: nothing of it wears off. */
	pipeline_crash(&pl);
	desk_power_cycle();
	run();
	expect_room(&room);
	end();
}
END_TEST

START_TEST(a_power_cut_at_any_moment_of_a_moving_load_leaves_a_room_that_comes_back)
{
	prepare(CONFIG("10ms", ""));
	run();
	must("page", "Talk", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, saved_page("Talk")), "nothing is saved:\n%s", pipeline_log(&pl));
	srand(99);
	for (unsigned i = 0; i < 6; i++) {
		double level;
		uint64_t generation = 0;
		must("page", "Talk", NULL, NULL);
		simdesk_begin(desk, "random-load seed %u for 0.5s rate 80 using fader1 fader2 fader3 vpot1 mute1 mute2", i + 1);
		usleep((useconds_t)(100000 + rand() % 350000));
		pipeline_crash(&pl);
		ck_assert_int_eq(simdesk_end(desk), SIMDESK_OK);
		level = saved("loop/ch3/level", &generation);
		ck_assert_msg(generation > 0, "there is no snapshot that can be read");
		desk_power_cycle();
		run();
		if (!isnan(level)) {
			expect_number("loop", "ch3/level", level);
			expect_fader(1, level);
		}
		ck_assert_msg(pipeline_until(5000, pipeline_is_ok(&pl, "store")), "the store is not ok:\n%s", pipeline_log(&pl));
	}
	end();
}
END_TEST

static bool
is_stale(const char *param, bool stale)
{
	return tool("get", param, "--json", NULL) == 0 && strstr(out, stale ? "\"stale\":true" : "\"stale\":false");
}

static bool
strip_3_asks(void)
{
	static const char before[] = "\"upper\":\"Bus\",\"lower\":\"";
	const char *lower = strstr(simdesk_state(desk), before);
	return lower && memchr(lower + sizeof(before) - 1, '?', strcspn(lower + sizeof(before) - 1, "\"")) != NULL;
}

START_TEST(restored_values_are_stale_until_the_driver_confirms_them)
{
	struct room room;
	prepare(CONFIG("50ms", ""));
	run();
	change_room(&room);
	ck_assert_msg(pipeline_until(10000, is_stale("bus/ch1/level", false)), "the value is stale: %s", out);
	pipeline_stop(&pl);
	/* The driver starts by hand now, and stands still before the store can speak to it. */
	pipeline_config(&pl, CONFIG("50ms", ", start: false"));
	run();
	expect_room(&room);
	must("kill", "--signal", "STOP", "store");
	must("start", "bus", NULL, NULL);
	ck_assert_msg(pipeline_until(10000, pipeline_is_ok(&pl, "bus")), "bus does not start:\n%s", pipeline_log(&pl));
	expect_number("bus", "ch1/level", -90);
	simdesk_must(desk, "expect strip 3 upper \"Bus\" within 30s");
	must("kill", "--signal", "STOP", "bus");
	must("kill", "--signal", "CONT", "store");
	ck_assert_msg(pipeline_until(10000, is_stale("bus/ch1/level", true)), "the value is not shown as stale: %s\n%s", out,
		      pipeline_log(&pl));
	/* The desk shows it, with a question mark, and the fader goes there already. */
	ck_assert_msg(pipeline_until(10000, strip_3_asks()), "strip 3 does not show that the value is stale: %s", simdesk_state(desk));
	expect_fader(3, room.bus1);
	must("params", "bus/ch1/level", "--json", NULL);
	ck_assert_msg(strstr(out, "\"stale\":true") != NULL, "params does not say that it is stale: %s", out);
	must("kill", "--signal", "CONT", "bus");
	expect_number("bus", "ch1/level", room.bus1);
	ck_assert_msg(pipeline_until(10000, is_stale("bus/ch1/level", false)), "the value stays stale: %s", out);
	expect_fader(3, room.bus1);
	end();
}
END_TEST

/* The file of the newest generation: one byte in the middle is another. */
static void
damage_newest(void)
{
	static const char *const files[] = {"snapshot-a", "snapshot-b"};
	struct snapshot_head head[2] = {0};
	char path[2][160];
	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%s", state_dir, files[i]);
		int fd = open(path[i], O_RDONLY | O_CLOEXEC);
		ck_assert_msg(fd >= 0, "there is no %s", path[i]);
		ck_assert_int_eq(read(fd, &head[i], sizeof(head[i])), sizeof(head[i]));
		close(fd);
	}
	int fd = open(path[head[1].generation > head[0].generation], O_RDWR | O_CLOEXEC);
	uint8_t byte;
	off_t at = (off_t)sizeof(struct snapshot_head) + 200;
	ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

START_TEST(when_the_newest_snapshot_is_damaged_the_generation_before_is_used_and_says_so)
{
	struct bh_proc_body b;
	uint64_t newest = 0, before = 0;
	prepare(CONFIG("50ms", ""));
	run();
	must("page", "Talk", NULL, NULL);
	for (int i = 1; i <= 6; i++) {
		char value[16];
		snprintf(value, sizeof(value), "-%d", 10 * i);
		must("set", "loop/ch3/level", "--", value);
		ck_assert(pipeline_until(10000, saved("loop/ch3/level", NULL) == -10.0 * i));
	}
	pipeline_crash(&pl);
	saved("loop/ch3/level", &newest);
	damage_newest();
	double level = saved("loop/ch3/level", &before);
	ck_assert_uint_lt(before, newest);
	ck_assert_msg(level == -50 || level == -60, "the generation before has %g", level);
	/* So slow a store that its word about this is not replaced by the next snapshot's before we look. */
	pipeline_config(&pl, CONFIG("60s", ""));
	run();
	expect_number("loop", "ch3/level", level);
	expect_fader(1, level);
	expect_degraded_store(&b);
	ck_assert_int_eq(tool("status", "store", NULL, NULL), 3);
	ck_assert_msg(strstr(out, "generation") && strstr(out, "is used"), "status store says: %s", out);
	ck_assert_msg(strstr(pipeline_log_text(&pl), "the generation before") != NULL, "the log does not say so:\n%s", pipeline_log(&pl));
	/* A clean stop writes a whole one again. */
	pipeline_stop(&pl);
	ck_assert_double_eq(saved("loop/ch3/level", NULL), level);
	run();
	ck_assert_msg(pipeline_until(5000, pipeline_is_ok(&pl, "store")), "the store is not ok:\n%s", pipeline_log(&pl));
	expect_number("loop", "ch3/level", level);
	end();
}
END_TEST

START_TEST(when_both_snapshots_are_damaged_the_room_is_empty_and_says_so)
{
	struct bh_proc_body b;
	char path[160];
	prepare(CONFIG("50ms", ""));
	run();
	must("set", "loop/ch3/level", "--", "-10");
	ck_assert(pipeline_until(10000, saved("loop/ch3/level", NULL) == -10));
	must("set", "loop/ch3/level", "--", "-11");
	ck_assert(pipeline_until(10000, saved("loop/ch3/level", NULL) == -11));
	pipeline_crash(&pl);
	snprintf(path, sizeof(path), "%s/snapshot-a", state_dir);
	ck_assert_int_eq(truncate(path, 70), 0);
	snprintf(path, sizeof(path), "%s/snapshot-b", state_dir);
	ck_assert_int_eq(truncate(path, 10), 0);
	pipeline_config(&pl, CONFIG("60s", ""));
	run();
	expect_degraded_store(&b);
	ck_assert_msg(b.health.reason[0], "degraded without a reason");
	expect_number("loop", "ch3/level", -90);
	must("set", "loop/ch3/level", "--", "-12");
	expect_number("loop", "ch3/level", -12);
	end();
}
END_TEST

/* ------------------------------------------------------------------ a full disk */

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* A mount namespace of our own; without root, in a user namespace of our own. */
static bool
may_mount(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();
	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		snprintf(map, sizeof(map), "%u %u 1", uid, uid);
		write_text("/proc/self/uid_map", map);
		write_text("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "%u %u 1", gid, gid);
		write_text("/proc/self/gid_map", map);
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

START_TEST(on_a_full_disk_the_store_says_so_nobody_else_notices_and_it_recovers)
{
	struct bh_proc_body b;
	char filler[160];
	static const uint8_t block[4096];
	static const char *const names[] = {"router", "control", "store", "desk", "loop", "bus"};
	pid_t pid[BH_ARRAY_LEN(names)];
	if (!may_mount()) {
		printf("not run: neither mounts nor user namespaces are allowed here (%s)\n", strerror(errno));
		return;
	}
	prepare(CONFIG("20ms", ""));
	ck_assert_msg(mount("none", state_dir, "tmpfs", 0, "size=256k,mode=0700") == 0, "cannot mount: %s", strerror(errno));
	run();
	must("page", "Talk", NULL, NULL);
	must("set", "loop/ch3/level", "--", "-10");
	ck_assert(pipeline_until(10000, saved("loop/ch3/level", NULL) == -10));
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		pid[i] = pipeline_pid(&pl, names[i]);
	snprintf(filler, sizeof(filler), "%s/filler", state_dir);
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
	simdesk_must(desk, "move 1 0.7 over 0.2s touching; tap mute1; wait hands");
	ck_assert_msg(pipeline_until(10000, is_health("store", BH_HEALTH_DEGRADED)), "the store does not say that the disk is full:\n%s",
		      pipeline_log(&pl));
	ck_assert(pipeline_body(&pl, "store", &b));
	ck_assert_msg(strstr(b.health.reason, strerror(ENOSPC)) != NULL, "the reason is: %s", b.health.reason);
	ck_assert_int_eq(tool("status", "store", NULL, NULL), 3);
	ck_assert_msg(strstr(out, strerror(ENOSPC)) && strstr(out, "hint: "), "status store says: %s", out);
	/* The last one is whole; the pipeline goes on. */
	ck_assert_double_eq(saved("loop/ch3/level", NULL), -10);
	for (unsigned k = 0; k < 5; k++) {
		simdesk_must(desk, "move 1 0.%u over 0.1s touching; wait hands", 30 + 10 * k);
		ck_assert(pipeline_until(5000, abs(position_of(pipeline_number(&pl, "loop", "ch3/level")) - simdesk_pos(desk, 1)) <= 8));
	}
	for (unsigned i = 0; i < BH_ARRAY_LEN(names); i++)
		ck_assert_msg(pipeline_pid(&pl, names[i]) == pid[i], "%s was restarted:\n%s", names[i], pipeline_log(&pl));
	/* Room again: by itself, with the values of now. */
	ck_assert_int_eq(unlink(filler), 0);
	ck_assert_msg(pipeline_until(15000, is_health("store", BH_HEALTH_OK)), "the store does not recover:\n%s", pipeline_log(&pl));
	ck_assert_double_eq(saved("loop/ch3/level", NULL), pipeline_number(&pl, "loop", "ch3/level"));
	end();
	umount(state_dir);
	rmdir(state_dir);
	rmdir(pl.dir);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cold_start");
	TCase *t = tcase_create("all");
	tcase_set_timeout(t, 90);
	tcase_add_test(t, after_a_clean_stop_page_and_values_come_back);
	tcase_add_test(t, after_a_clean_stop_the_room_comes_back_but_no_held_key);
	tcase_add_test(t, after_a_power_cut_page_and_values_come_back);
	tcase_add_test(t, a_power_cut_at_any_moment_of_a_moving_load_leaves_a_room_that_comes_back);
	tcase_add_test(t, restored_values_are_stale_until_the_driver_confirms_them);
	tcase_add_test(t, when_the_newest_snapshot_is_damaged_the_generation_before_is_used_and_says_so);
	tcase_add_test(t, when_both_snapshots_are_damaged_the_room_is_empty_and_says_so);
	tcase_add_test(t, on_a_full_disk_the_store_says_so_nobody_else_notices_and_it_recovers);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

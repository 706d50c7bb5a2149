/* crash.c - see crash.h */
#include "tests/lib/crash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/harness.h"
#include "tests/lib/step.h"

void
crash_abort(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

uint64_t
crash_hash(uint64_t h, const void *data, size_t len)
{
	const uint64_t *word = data;
	for (size_t k = 0; k < len / 8; k++) {
		h = (h ^ word[k]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	for (size_t k = len / 8 * 8; k < len; k++)
		h = (h ^ ((const uint8_t *)data)[k]) * 0x100000001b3ull;
	return h;
}

/* ------------------------------------------------------------------ segments */

static unsigned
add(struct crash_memory *m, int ret)
{
	unsigned n = m->segs++;
	crash_must(ret == 0);
	crash_must(bh_seg_map(&m->seg[n], m->fds[n].rw, 0, true) == 0);
	m->len[n] = m->seg[n].size;
	return n;
}

unsigned
crash_self(struct crash_memory *m, uint16_t slot)
{
	unsigned n = add(m, bh_seg_create_self(&m->fds[m->segs], "crash.self", slot, 1));
	m->len[n] = sizeof(struct bh_seg_header) + sizeof(struct bh_self); /* not its histograms */
	return n;
}

unsigned
crash_outbox(struct crash_memory *m, uint16_t from, uint16_t to, uint32_t slots, uint32_t cells)
{
	return add(m, bh_seg_create_outbox(&m->fds[m->segs], "crash>box", from, to, 1, slots, cells));
}

unsigned
crash_state(struct crash_memory *m, uint16_t slot, uint32_t records)
{
	return add(m, bh_seg_create_state(&m->fds[m->segs], "crash.state", slot, 1, records));
}

unsigned
crash_private(struct crash_memory *m, uint16_t slot, uint32_t journal, uint32_t raw, uint32_t scratch)
{
	return add(m, bh_seg_create_private(&m->fds[m->segs], "crash.private", slot, 1, journal, raw, scratch));
}

unsigned
crash_params(struct crash_memory *m, uint16_t slot, uint32_t params, uint32_t strings)
{
	return add(m, bh_seg_create_params(&m->fds[m->segs], "crash.params", slot, 1, params, strings));
}

unsigned
crash_table(struct crash_memory *m)
{
	return add(m, bh_seg_create_table(&m->fds[m->segs]));
}

void
crash_own(struct crash_memory *m)
{
	m->own = m->segs;
}

void *
crash_section(const struct crash_memory *m, unsigned seg, uint32_t kind, uint32_t *count)
{
	for (uint32_t k = 0; k < m->seg[seg].head.sections; k++) {
		const struct bh_section *s = &m->seg[seg].head.section[k];
		if (s->kind != kind)
			continue;
		if (count)
			*count = s->count;
		return m->seg[seg].base + s->offset;
	}
	crash_abort(__FILE__, __LINE__, "a section that every such segment has");
}

struct bh_self *
crash_self_of(const struct crash_memory *m, unsigned seg)
{
	return crash_section(m, seg, BH_SEC_SELF, NULL);
}

static void
memory_open(struct crash_memory *m, const struct crash_scene *scene)
{
	memset(m, 0, sizeof(*m));
	m->life = calloc(1, CRASH_LIFE);
	m->scene = scene->arg;
	crash_must(m->life != NULL);
	scene->build(m);
	crash_must(m->own > 0 && m->own <= m->segs && m->segs <= CRASH_SEGS);
}

static void
memory_close(struct crash_memory *m)
{
	for (unsigned k = 0; k < m->segs; k++) {
		bh_seg_unmap(&m->seg[k]);
		close(m->fds[k].rw);
		close(m->fds[k].ro);
	}
	free(m->life);
}

/* ------------------------------------------------------------------ the run */

struct verdict {
	uint64_t image;
	uint32_t end;
	bool used, judged;
};
#define VERDICTS (1u << 16)

struct run {
	const struct crash_scene *scene;
	struct crash_result *out;
	struct crash_memory real, copy, third; /* what dies; what its successor is tried on; and the successor's successor */
	uint8_t *first[CRASH_SEGS];		/* real, as it was before the work */
	struct verdict *verdict;		/* by image: a hash table */
	struct verdict *second;
	uint32_t end; /* of the first image: as if nothing had been */
	bool has_end;
	unsigned judged;
};

static struct verdict *
verdict_place(struct verdict *table, uint64_t image)
{
	uint32_t at = (uint32_t)(image >> 20) % VERDICTS;
	while (table[at].used && table[at].image != image)
		at = (at + 1) % VERDICTS;
	return &table[at];
}

static uint64_t
hash_copies(const struct crash_memory *m, void *const *copies)
{
	uint64_t h = 0xcbf29ce484222325ull;
	for (unsigned k = 0; k < m->own; k++)
		h = crash_hash(h, copies ? copies[k] : m->seg[k].base, m->len[k]);
	return h;
}

/* Lay an image into `to`: what the dead one wrote, and what the others had. */
static void
load(struct crash_memory *to, void *const *copies, const struct crash_memory *others)
{
	for (unsigned k = 0; k < to->segs; k++)
		memcpy(to->seg[k].base, k < to->own ? copies[k] : others->seg[k].base, to->len[k]);
}

static void
complain(struct run *run, const char *what, const char *why)
{
	run->out->wrong++;
	if (!run->out->why[0])
		snprintf(run->out->why, sizeof(run->out->why), "%s, instruction %lu: %.100s", what, bh_step_instructions(), why);
}

static void
check_end(struct run *run, uint32_t end, char *why, size_t cap)
{
	if (!run->has_end)
		run->end = end;
	run->has_end = true;
	if (run->scene->one_end && end != run->end)
		crash_wrong(why, cap, "it does not end as it would have");
}

static uint32_t
recover_and_judge(struct run *run, struct crash_memory *m, const char *what)
{
	char why[CRASH_WHY] = "";
	memset(m->life, 0, CRASH_LIFE);
	run->scene->recover(m);
	run->scene->go_on(m);
	uint32_t end = run->scene->judge(m, why, sizeof(why));
	run->scene->leave(m);
	run->out->successors++;
	check_end(run, end, why, sizeof(why));
	if (why[0])
		complain(run, what, why);
	return end;
}

static unsigned
ranges_of(const struct crash_memory *m, struct bh_step_range *range)
{
	for (unsigned k = 0; k < m->own; k++)
		range[k] = (struct bh_step_range){m->seg[k].base, m->len[k]};
	return m->own;
}

static void
second_image(void *arg, void *const *copies)
{
	struct run *run = arg;
	uint64_t image = hash_copies(&run->copy, copies);
	struct verdict *v = verdict_place(run->second, image);
	if (v->used)
		return;
	*v = (struct verdict){.image = image, .used = true};
	run->out->second_images++;
	load(&run->third, copies, &run->copy);
	v->end = recover_and_judge(run, &run->third, "successor killed while it recovered");
}

static void
recover_in_child(void *arg)
{
	struct run *run = arg;
	run->scene->recover(&run->copy);
}

/* The successor is killed at each of its own instructions, too. */
static void
step_successor(struct run *run, void *const *copies)
{
	struct bh_step_range range[CRASH_SEGS];
	load(&run->copy, copies, &run->real);
	memset(run->copy.life, 0, CRASH_LIFE);
	memset(run->second, 0, VERDICTS * sizeof(*run->second));
	if (bh_step_images(recover_in_child, run, range, ranges_of(&run->copy, range), second_image) < 0)
		complain(run, "successor", "it could not be stepped");
}

static void
on_image(void *arg, void *const *copies)
{
	struct run *run = arg;
	char why[CRASH_WHY] = "";
	uint64_t image = hash_copies(&run->real, copies);
	struct verdict *v = verdict_place(run->verdict, image);
	run->out->images++;
	if (v->used)
		return;
	*v = (struct verdict){.image = image, .used = true};
	crash_must(++run->out->distinct < VERDICTS / 2);
	if (run->scene->every && run->out->distinct % run->scene->every != 1 % run->scene->every)
		return;
	v->judged = true;
	if (run->scene->survive) {
		load(&run->copy, copies, &run->real);
		run->scene->survive(&run->copy, why, sizeof(why));
		if (why[0])
			complain(run, "survivor", why);
	}
	load(&run->copy, copies, &run->real);
	v->end = recover_and_judge(run, &run->copy, "successor");
	if (run->scene->second && run->judged++ % run->scene->second == run->scene->second / 2)
		step_successor(run, copies);
}

static void
work_in_child(void *arg)
{
	struct run *run = arg;
	run->scene->work(&run->real);
}

static void
put_back(struct run *run)
{
	for (unsigned k = 0; k < run->real.segs; k++)
		memcpy(run->real.seg[k].base, run->first[k], run->real.len[k]);
}

/* A real kill, and a real successor; the judge must say what it said of the copy. */
static void
kill_once(struct run *run, unsigned long at)
{
	char why[CRASH_WHY] = "";
	int status = 0;
	int ret;
	do {
		put_back(run);
		ret = bh_step_kill(work_in_child, run, at);
	} while (ret == -EAGAIN);
	crash_must(ret == 1);
	const struct verdict *v = verdict_place(run->verdict, hash_copies(&run->real, NULL));
	run->out->kills++;
	run->out->unknown += !v->used;
	pid_t pid = fork();
	if (pid == 0) {
		memset(run->real.life, 0, CRASH_LIFE);
		run->scene->recover(&run->real);
		run->scene->go_on(&run->real);
		_exit(0);
	}
	run->out->successors++;
	crash_must(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		snprintf(why, sizeof(why), "the successor died: %x", status);
	uint32_t end = run->scene->judge(&run->real, why, sizeof(why));
	check_end(run, end, why, sizeof(why));
	if (why[0])
		complain(run, "after a real kill", why);
	run->out->differ += v->judged && v->end != end;
}

int
crash_run(const struct crash_scene *scene, unsigned kills, struct crash_result *out)
{
	static struct run run;
	struct bh_step_range range[CRASH_SEGS];
	uint64_t dice = 0x2545f4914f6cdd1dull;
	memset(out, 0, sizeof(*out));
	memset(&run, 0, sizeof(run));
	run.scene = scene;
	run.out = out;
	run.verdict = calloc(VERDICTS, sizeof(*run.verdict));
	run.second = calloc(VERDICTS, sizeof(*run.second));
	crash_must(run.verdict && run.second);
	memory_open(&run.real, scene);
	memory_open(&run.copy, scene);
	memory_open(&run.third, scene);
	scene->before(&run.real);
	for (unsigned k = 0; k < run.real.segs; k++) {
		run.first[k] = malloc(run.real.len[k]);
		crash_must(run.first[k] != NULL);
		memcpy(run.first[k], run.real.seg[k].base, run.real.len[k]);
	}
	int ret = bh_step_images(work_in_child, &run, range, ranges_of(&run.real, range), on_image);
	unsigned long last = bh_step_instructions();
	for (unsigned k = 0; ret > 0 && last && k < kills; k++) {
		dice = dice * 6364136223846793005ull + 1442695040888963407ull;
		kill_once(&run, (dice >> 33) % last);
	}
	out->instructions = last;
	memory_close(&run.real);
	memory_close(&run.copy);
	memory_close(&run.third);
	for (unsigned k = 0; k < CRASH_SEGS; k++)
		free(run.first[k]);
	free(run.verdict);
	free(run.second);
	return ret < 0 ? ret : 0;
}

void
crash_print(const struct crash_scene *scene, const struct crash_result *r, struct crash_result *sum)
{
	bench_print("crash_images", "figure",
		    "%s: %lu instructions, %u images, %u distinct, %u of successors, %u recoveries, %u real kills (%u unlike any copy, %u judged otherwise), %u wrong",
		    scene->name, r->instructions, r->images, r->distinct, r->second_images, r->successors, r->kills, r->unknown,
		    r->differ, r->wrong);
	if (r->why[0])
		bench_print("crash_images", "figure", "%s: %s", scene->name, r->why);
	if (!sum)
		return;
	sum->instructions += r->instructions;
	sum->images += r->images;
	sum->distinct += r->distinct;
	sum->second_images += r->second_images;
	sum->successors += r->successors;
	sum->kills += r->kills;
	sum->unknown += r->unknown;
	sum->differ += r->differ;
	sum->wrong += r->wrong;
}

/* ------------------------------------------------------------------ a reader of its own */

struct crash_reader
crash_reader(const struct crash_memory *m, unsigned outbox, uint64_t pos)
{
	uint32_t count = 0;
	const uint8_t *slots = crash_section(m, outbox, BH_SEC_RING, &count);
	return (struct crash_reader){.slots = slots, .mask = count - 1, .pos = pos};
}

int
crash_read(struct crash_reader *r, struct bh_event *ev, uint8_t *payload, size_t *len)
{
	const struct bh_event *slot = (const struct bh_event *)(r->slots + (r->pos & r->mask) * BH_LINE);
	*len = 0;
	if (slot->seq != r->pos + 1)
		return 0;
	*ev = *slot;
	if (ev->cont > BH_CONT_MAX || ev->kind == BH_EV_NONE || ev->kind >= BH_EV_KIND_COUNT)
		return -1;
	for (uint32_t k = 0; k < ev->cont; k++) {
		uint64_t pos = r->pos + 1 + k;
		const struct bh_cont *part = (const struct bh_cont *)(r->slots + (pos & r->mask) * BH_LINE);
		if (part->seq != ((pos + 1) | BH_SEQ_CONT))
			return -1;
		memcpy(payload + k * BH_CONT_BYTES, part->data, BH_CONT_BYTES);
	}
	/* The length's low byte is told; which of the two hundreds it is, the number of slots says. */
	for (size_t n = ev->cont ? (ev->cont - 1u) * BH_CONT_BYTES + 1 : 1; n <= ev->cont * BH_CONT_BYTES; n++)
		if ((n & 255) == ev->len)
			*len = n;
	r->pos += 1u + ev->cont;
	return 1;
}

uint64_t
crash_cell(const struct crash_memory *m, unsigned outbox, uint32_t id, struct bh_cell_body *body)
{
	uint32_t count = 0;
	const struct bh_cell *cell = crash_section(m, outbox, BH_SEC_CELLS, &count);
	crash_must(id < count);
	*body = cell[id].copy[cell[id].turn & 1];
	return cell[id].turn;
}

/* Bit by bit: not the product's. */
uint32_t
crash_crc32c(const void *data, size_t len)
{
	uint32_t crc = ~0u;
	for (size_t k = 0; k < len; k++) {
		crc ^= ((const uint8_t *)data)[k];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

int
crash_record(const struct crash_memory *m, unsigned state, uint32_t n, uint32_t *gen, void *data)
{
	uint32_t count = 0;
	const struct bh_record *rec = crash_section(m, state, BH_SEC_RECORDS, &count);
	crash_must(n < count);
	const struct bh_record_copy *copy = &rec[n].copy[rec[n].turn & 1];
	if (!rec[n].turn)
		return 0;
	*gen = copy->gen;
	memcpy(data, copy->data, sizeof(copy->data));
	return copy->check == crash_crc32c(copy, offsetof(struct bh_record_copy, check)) ? 1 : -1;
}

uint64_t
crash_overflow(const struct crash_memory *m, unsigned outbox)
{
	const struct bh_outbox_head *head = crash_section(m, outbox, BH_SEC_OUTBOX, NULL);
	return head->overflow;
}

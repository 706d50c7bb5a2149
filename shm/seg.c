/* seg.c - see seg.h */
#include "shm/seg.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/crc.h"
#include "shm/words.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u /* Linux 6.3 */
#endif

#define SEG_SEALS    (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define SEG_SIZE_MAX (1ull << 30)
#define SEG_PAGE     4096u
#define SEG_HISTS    8u
#define SEG_QUARANTINE 16u

static uint64_t
seg_round(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static uint32_t
seg_header_check(const struct bh_seg_header *head)
{
	struct bh_seg_header copy = *head;
	copy.check = 0;
	return bh_crc32c(0, &copy, sizeof(copy));
}

static int
seg_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0) {
		int err = errno;
		close(fd);
		return -err;
	}
	return fd;
}

static int
seg_pwrite(int fd, const void *data, size_t len, uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int
seg_fill(int fd, uint8_t byte, uint64_t len, uint64_t offset)
{
	uint8_t block[SEG_PAGE];
	memset(block, byte, sizeof(block));
	while (len) {
		size_t n = len < sizeof(block) ? (size_t)len : sizeof(block);
		int ret = seg_pwrite(fd, block, n, offset);
		if (ret < 0)
			return ret;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Lay the sections out one after the other, each from a new line. Sections without elements are left out. */
static int
seg_lay_out(struct bh_seg_header *head, const struct bh_seg_plan *plan, size_t plan_len)
{
	uint64_t at = sizeof(*head);
	for (size_t k = 0; k < plan_len; k++) {
		if (!plan[k].count)
			continue;
		if (head->sections == BH_SEG_SECTIONS || !plan[k].stride)
			return -EINVAL;
		head->section[head->sections++] = (struct bh_section){
			.kind = plan[k].kind, .stride = plan[k].stride, .count = plan[k].count, .offset = at};
		at = seg_round(at + (uint64_t)plan[k].stride * plan[k].count, BH_LINE);
		if (at > SEG_SIZE_MAX)
			return -EFBIG;
	}
	head->size = seg_round(at, SEG_PAGE);
	head->check = seg_header_check(head);
	return 0;
}

static int
seg_write_all(int fd, const struct bh_seg_header *head)
{
	/* Allocated now: a page that cannot be had later would be SIGBUS in whoever touches it first. */
	if (fallocate(fd, 0, 0, (off_t)head->size) < 0)
		return -errno;
	int ret = seg_pwrite(fd, head, sizeof(*head), 0);
	for (uint32_t k = 0; ret == 0 && k < head->sections; k++)
		if (head->section[k].kind == BH_SEC_BYTES)
			ret = seg_fill(fd, 0xfd, (uint64_t)head->section[k].stride * head->section[k].count,
				       head->section[k].offset);
	if (ret == 0 && fcntl(fd, F_ADD_SEALS, SEG_SEALS) < 0)
		ret = -errno;
	return ret;
}

int
bh_seg_create(struct bh_seg_fds *out, const char *name, uint32_t kind, uint16_t writer, uint16_t peer,
	      uint32_t epoch, const struct bh_seg_plan *plan, size_t plan_len)
{
	out->rw = out->ro = -1;
	struct bh_seg_header head = {
		.magic = BH_SEG_MAGIC, .version = BH_SEG_VERSION, .kind = kind, .writer = writer, .peer = peer, .epoch = epoch};
	snprintf(head.name, sizeof(head.name), "%s", name);
	int ret = seg_lay_out(&head, plan, plan_len);
	if (ret < 0)
		return ret;
	int rw = seg_memfd(head.name);
	if (rw < 0)
		return rw;
	ret = seg_write_all(rw, &head);
	if (ret == 0) {
		char path[32];
		snprintf(path, sizeof(path), "/proc/self/fd/%d", rw);
		out->ro = open(path, O_RDONLY | O_CLOEXEC);
		ret = out->ro < 0 ? -errno : 0;
	}
	/* Nobody opens it for writing a second time: who may not change modes (common/sandbox.h) cannot undo that. */
	if (ret == 0 && fchmod(rw, 0400) < 0)
		ret = -errno;
	if (ret < 0) {
		if (out->ro >= 0)
			close(out->ro);
		out->ro = -1;
		close(rw);
		return ret;
	}
	out->rw = rw;
	return 0;
}

static bool
seg_slot_ok(uint16_t slot)
{
	return slot < BH_MAX_SLOTS || slot == BH_SLOT_NONE;
}

static bool
seg_header_ok(const struct bh_seg_header *head, uint64_t size, uint32_t kind)
{
	if (head->magic != BH_SEG_MAGIC || head->version != BH_SEG_VERSION || head->size != size)
		return false;
	if (head->check != seg_header_check(head) || (kind && head->kind != kind))
		return false;
	if (head->sections > BH_SEG_SECTIONS || !memchr(head->name, '\0', sizeof(head->name)))
		return false;
	if (!seg_slot_ok(head->writer) || !seg_slot_ok(head->peer))
		return false;
	for (uint32_t k = 0; k < head->sections; k++) {
		const struct bh_section *s = &head->section[k];
		uint64_t bytes = (uint64_t)s->stride * s->count;
		if (s->offset % BH_LINE || s->offset < sizeof(*head) || s->offset > size)
			return false;
		if (!s->kind || !s->stride || bytes > size - s->offset)
			return false;
		for (uint32_t other = 0; other < k; other++) {
			const struct bh_section *o = &head->section[other];
			if (s->offset < o->offset + (uint64_t)o->stride * o->count && o->offset < s->offset + bytes)
				return false;
		}
	}
	return true;
}

int
bh_seg_map(struct bh_seg *seg, int fd, uint32_t kind, bool writable)
{
	memset(seg, 0, sizeof(*seg));
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct bh_seg_header) || st.st_size > (off_t)SEG_SIZE_MAX)
		return -EPROTO;
	/* Before anything is mapped: without these, a peer could shrink it under our hands. */
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return -EPROTO;
	if ((seals & SEG_SEALS) != SEG_SEALS)
		return -EPERM;
	size_t size = (size_t)st.st_size;
	void *base = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	shm_load_words(&seg->head, base, sizeof(seg->head));
	seg->base = base;
	seg->size = size;
	seg->writable = writable;
	if (!seg_header_ok(&seg->head, size, kind)) {
		bh_seg_unmap(seg);
		return -EPROTO;
	}
	return 0;
}

void
bh_seg_unmap(struct bh_seg *seg)
{
	if (seg->base)
		munmap(seg->base, seg->size);
	memset(seg, 0, sizeof(*seg));
}

void *
bh_seg_section(const struct bh_seg *seg, uint32_t kind, size_t stride, uint32_t *count)
{
	for (uint32_t k = 0; seg->base && k < seg->head.sections; k++) {
		const struct bh_section *s = &seg->head.section[k];
		if (s->kind != kind)
			continue;
		bool array = s->count > 1 && kind != BH_SEC_JOURNAL;
		if (!s->count || s->stride < stride || (array && s->stride != stride))
			return NULL;
		if (count)
			*count = s->count;
		return seg->base + s->offset;
	}
	return NULL;
}

#define PLAN_LEN(plan) (sizeof(plan) / sizeof((plan)[0]))

int
bh_seg_create_self(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch)
{
	const struct bh_seg_plan plan[] = {
		{BH_SEC_SELF, sizeof(struct bh_self), 1},
		{BH_SEC_HISTS, sizeof(struct bh_hist), SEG_HISTS},
		{BH_SEC_ACCOUNT, sizeof(struct bh_account), BH_MAX_SLOTS * BH_CLASSES},
	};
	return bh_seg_create(out, name, BH_SEG_SELF, slot, BH_SLOT_NONE, epoch, plan, PLAN_LEN(plan));
}

int
bh_seg_create_outbox(struct bh_seg_fds *out, const char *name, uint16_t from, uint16_t to, uint32_t epoch,
		     uint32_t slots, uint32_t cells)
{
	out->rw = out->ro = -1;
	if (slots < 2 || slots & (slots - 1))
		return -EINVAL;
	const struct bh_seg_plan plan[] = {
		{BH_SEC_RING, sizeof(struct bh_event), slots},
		{BH_SEC_OUTBOX, sizeof(struct bh_outbox_head), 1},
		{BH_SEC_CELLS, sizeof(struct bh_cell), cells},
	};
	return bh_seg_create(out, name, BH_SEG_OUTBOX, from, to, epoch, plan, PLAN_LEN(plan));
}

int
bh_seg_create_params(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch, uint32_t params,
		     uint32_t string_bytes)
{
	const struct bh_seg_plan plan[] = {
		{BH_SEC_DIRECTORY, sizeof(struct bh_dir_head), 1},
		{BH_SEC_DIR_RECORDS, sizeof(struct bh_dir_record), params},
		{BH_SEC_DIR_STRINGS, 1, string_bytes},
	};
	return bh_seg_create(out, name, BH_SEG_PARAMS, slot, BH_SLOT_NONE, epoch, plan, PLAN_LEN(plan));
}

int
bh_seg_create_state(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch, uint32_t records)
{
	const struct bh_seg_plan plan[] = {
		{BH_SEC_RECORDS, sizeof(struct bh_record), records},
	};
	return bh_seg_create(out, name, BH_SEG_STATE, slot, BH_SLOT_NONE, epoch, plan, PLAN_LEN(plan));
}

int
bh_seg_create_private(struct bh_seg_fds *out, const char *name, uint16_t slot, uint32_t epoch,
		      uint32_t journal_bytes, uint32_t raw_bytes, uint32_t scratch_bytes)
{
	const struct bh_seg_plan plan[] = {
		{BH_SEC_JOURNAL, (uint32_t)seg_round(journal_bytes, BH_LINE), journal_bytes ? 2 : 0},
		{BH_SEC_BYTES, 1, raw_bytes},
		{BH_SEC_BYTES_HEAD, sizeof(struct bh_bytes_head), raw_bytes ? 1 : 0},
		{BH_SEC_QUARANTINE, sizeof(struct bh_quarantine), SEG_QUARANTINE},
		{BH_SEC_SCRATCH, 1, scratch_bytes},
	};
	return bh_seg_create(out, name, BH_SEG_PRIVATE, slot, BH_SLOT_NONE, epoch, plan, PLAN_LEN(plan));
}

int
bh_seg_create_table(struct bh_seg_fds *out)
{
	const struct bh_seg_plan plan[] = {
		{BH_SEC_TABLE, sizeof(struct bh_table_head), 1},
		{BH_SEC_PROCS, sizeof(struct bh_proc_entry), BH_MAX_SLOTS},
	};
	return bh_seg_create(out, "bulkhead.table", BH_SEG_TABLE, BH_SLOT_SUPERVISOR, BH_SLOT_NONE, 0, plan, PLAN_LEN(plan));
}

int
bh_seg_create_written(const char *name)
{
	return seg_memfd(name);
}

int
bh_seg_seal_written(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | SEG_SEALS) < 0 ? -errno : 0;
}

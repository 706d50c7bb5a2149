/* publish - see publish.h */
#include "procs/surface/publish.h"

#include <errno.h>
#include <string.h>

static bool
is_published(const struct input *in, const struct bh_outbox *out, uint8_t kind, const struct bh_cell_body *cell)
{
	uint64_t pos;
	uint32_t gen;
	if (!input_was_marked(in, &pos, &gen))
		return false;
	uint32_t since = bh_outbox_since(out, pos);
	/* The cell may be written and the event not; then our RESYNC has the router look at the cell. */
	if (bh_kind_has_cell(kind))
		return cell->gen == gen || (since != 0 && since != UINT32_MAX);
	/* It cannot be told: rather none than two. */
	return since != 0;
}

int
publish_event(struct input *in, bool *recovering, struct bh_outbox *out, struct bh_event *ev, uint16_t cell_flags)
{
	struct bh_cell_body cell;
	bool has_cell = bh_kind_has_cell(ev->kind);
	if (ev->id >= out->cell_count)
		return -ERANGE;
	if (!has_cell || bh_cell_read(&out->cells[ev->id], &cell) <= 0)
		memset(&cell, 0, sizeof(cell));
	if (*recovering && is_published(in, out, ev->kind, &cell)) {
		*recovering = false; /* there is at most one */
		return 2;
	}
	uint32_t gen = cell.gen + 1 ? cell.gen + 1 : 1;
	input_mark(in, out->ring.pos, has_cell ? gen : 0);
	return bh_outbox_put(out, ev, NULL, cell_flags);
}

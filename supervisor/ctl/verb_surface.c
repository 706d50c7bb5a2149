/* verb_surface.c - press, move, turn: as by a hand on the desk */
#include "supervisor/ctl/client.h"

int
verb_press(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	int how = argc > 1 ? ctl_parse_press(argv[1]) : 2;
	if (how < 0)
		return ctl_error(ctl, "bad-value", "down, up, or nothing for both", "\"%s\" is no way to press", argv[1]);
	uint64_t id = ctl_begin(&o, BH_VERB_PRESS);
	bh_wire_str(&o, "control", argv[0]);
	bh_wire_int(&o, "value", how);
	return ctl_act(ctl, &o, id, BH_VERB_PRESS);
}

int
verb_move(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	double position;
	(void)argc;
	if (ctl_parse_position(argv[1], &position) < 0)
		return ctl_error(ctl, "bad-value", "0 to 1, or 0% to 100%", "\"%s\" is no position", argv[1]);
	uint64_t id = ctl_begin(&o, BH_VERB_MOVE);
	bh_wire_str(&o, "control", argv[0]);
	bh_wire_float(&o, "value", position);
	return ctl_act(ctl, &o, id, BH_VERB_MOVE);
}

int
verb_turn(struct ctl *ctl, int argc, char **argv)
{
	struct bh_wire_out o;
	long ticks = 1;
	if (argc > 1 && ctl_parse_int(argv[1], -10000, 10000, &ticks) < 0)
		return ctl_error(ctl, "bad-value", "a whole number; clockwise is positive", "\"%s\" is no number of ticks", argv[1]);
	uint64_t id = ctl_begin(&o, BH_VERB_TURN);
	bh_wire_str(&o, "control", argv[0]);
	bh_wire_int(&o, "value", ticks);
	return ctl_act(ctl, &o, id, BH_VERB_TURN);
}

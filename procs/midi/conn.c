/* conn - see the header. */
#include "procs/midi/conn.h"

#include <string.h>

const char *
midi_conn_state_name(enum midi_conn_state state)
{
	switch (state) {
	case MIDI_CONN_ABSENT: return "absent";
	case MIDI_CONN_TRYING: return "trying";
	case MIDI_CONN_LINKED: return "linked";
	}
	return "?";
}

static void
wait_longer(struct midi_conn *c, uint64_t now_ns)
{
	uint64_t wait = MIDI_CONN_WAIT_MIN_NS << (c->refusals < 6 ? c->refusals : 6);

	if (wait > MIDI_CONN_WAIT_MAX_NS)
		wait = MIDI_CONN_WAIT_MAX_NS;
	c->refusals++;
	c->retry_ns = now_ns + wait;
}

bool
midi_conn_step(struct midi_conn *c, enum midi_conn_event event, uint64_t now_ns)
{
	if (event == MIDI_CONN_GONE) {
		*c = (struct midi_conn){0};
		return false;
	}
	switch (c->state) {
	case MIDI_CONN_ABSENT:
		if (event != MIDI_CONN_SEEN)
			return false;
		c->state = MIDI_CONN_TRYING;
		return true;
	case MIDI_CONN_TRYING:
		if (event == MIDI_CONN_MADE) {
			*c = (struct midi_conn){.state = MIDI_CONN_LINKED};
			return false;
		}
		if (event == MIDI_CONN_REFUSED) {
			wait_longer(c, now_ns);
			return false;
		}
		if (event == MIDI_CONN_SEEN)
			c->refusals = 0;
		else if (event != MIDI_CONN_TICK || c->retry_ns == 0 || now_ns < c->retry_ns)
			return false;
		c->retry_ns = 0;
		return true;
	case MIDI_CONN_LINKED:
		if (event == MIDI_CONN_CUT) {
			c->state = MIDI_CONN_TRYING;
			wait_longer(c, now_ns);
		}
		return false;
	}
	return false;
}

/* Equal, trailing blanks of `is` aside. */
static bool
is_name(const char *wanted, size_t len, const char *is)
{
	size_t n = strlen(is);

	while (n > 0 && is[n - 1] == ' ')
		n--;
	return n == len && memcmp(wanted, is, n) == 0;
}

static bool
is_port(const char *wanted, const char *client, const char *port)
{
	size_t n = strlen(client);

	if (is_name(wanted, strlen(wanted), port))
		return true;
	while (n > 0 && client[n - 1] == ' ')
		n--;
	return strncmp(port, client, n) == 0 && port[n] == ' ' &&
	       is_name(wanted, strlen(wanted), port + n + 1);
}

bool
midi_conn_is_peer(const char *wanted, const char *client, const char *port)
{
	/* A client's name may itself hold colons ("a2j: synth"): every split is tried. */
	for (const char *colon = strchr(wanted, ':'); colon != NULL; colon = strchr(colon + 1, ':'))
		if (is_name(wanted, (size_t)(colon - wanted), client) &&
		    is_port(colon + 1, client, port))
			return true;
	return is_name(wanted, strlen(wanted), client);
}

/*
 * patience.h - how long a test waits for what must come
 *
 * A deadline here ends a test that hangs, and says nothing about speed: machines that run the tests stand still for seconds, as a
 * whole or one process of many. So each wait is at least this long, whatever it asks for. What shall not happen is waited for
 * in another way.
 */
#pragma once

#define PATIENCE_MS 60000u

static inline unsigned
patience_ms(unsigned ms)
{
	return ms > PATIENCE_MS ? ms : PATIENCE_MS;
}

/*
 * A second, as a number of pauses of ours of so many microseconds: a clock that stands still when the machine does, for what must
 * come within a second. Instrumented programs get ten.
 */
static inline unsigned
second_in_turns(unsigned pause_us)
{
#ifdef BH_SANITIZED
	return 10000000u / pause_us;
#else
	return 1000000u / pause_us;
#endif
}

/*
 * log.h - what a process says to people
 *
 * One line per state change, none per event. Lines go to stderr: plain with the process's name when a person looks, with
 * a "<N>" priority prefix when the journal does (JOURNAL_STREAM or BULKHEAD_LOG=journal). Say what happened, to
 * which device, what we do next, what they can do. Anything that a peer can repeat goes through bh_log_limited().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum bh_log_level { BH_LOG_ERR = 3, BH_LOG_WARN = 4, BH_LOG_INFO = 6, BH_LOG_DBG = 7 };

/* Name of this process in each line (copied). Level: from BULKHEAD_LOG_LEVEL (err warn info dbg), default info. */
void bh_log_init(const char *name);
void bh_log_set_level(enum bh_log_level level);
bool bh_log_enabled(enum bh_log_level level);

/* One line; %m works. Makes one write(2), allocates nothing. */
void bh_log(enum bh_log_level level, const char *topic, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Per-file topic. */
#define BH_LOG_TOPIC(t) static const char *const bh_log_topic __attribute__((unused)) = t

#define bh_err(...) bh_log(BH_LOG_ERR, bh_log_topic, __VA_ARGS__)
#define bh_warn(...) bh_log(BH_LOG_WARN, bh_log_topic, __VA_ARGS__)
#define bh_info(...) bh_log(BH_LOG_INFO, bh_log_topic, __VA_ARGS__)
#define bh_dbg(...)                                                                                \
	do {                                                                                       \
		if (bh_log_enabled(BH_LOG_DBG))                                                    \
			bh_log(BH_LOG_DBG, bh_log_topic, __VA_ARGS__);                             \
	} while (0)

/* Whose fault: the device's, the peer's, ours. */
#define bh_bug_device(fmt, ...) bh_log(BH_LOG_WARN, bh_log_topic, "device fault: " fmt, ##__VA_ARGS__)
#define bh_bug_peer(fmt, ...) bh_log(BH_LOG_WARN, bh_log_topic, "peer fault: " fmt, ##__VA_ARGS__)
#define bh_bug_self(fmt, ...) bh_log(BH_LOG_ERR, bh_log_topic, "our own fault, please report: " fmt, ##__VA_ARGS__)

/* At most `burst` lines in `window_ms`; says how many it swallowed when it speaks again. */
struct bh_log_limit {
	uint32_t burst, window_ms;
	uint64_t window_start_ns, swallowed;
	uint32_t used;
};
#define BH_LOG_LIMIT(b, w) {.burst = (b), .window_ms = (w)}
void bh_log_limited(struct bh_log_limit *limit, enum bh_log_level level, const char *topic, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

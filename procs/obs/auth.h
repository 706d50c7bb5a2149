/*
 * auth.h - the answer to obs-websocket's challenge
 *
 * authentication = base64(SHA256(base64(SHA256(password + salt)) + challenge)); salt and challenge are used as the text that came.
 * Pure, no allocation; what stands between is wiped.
 */
#pragma once

#include <stddef.h>

#define OBS_AUTH_SIZE 45u /* 32 bytes as base64, and the NUL */

/* The text for Identify. 0, or -ENOSPC (cap < OBS_AUTH_SIZE; out is empty then). The caller wipes `out` once it is sent. */
int obs_auth(const char *password, const char *salt, const char *challenge, char *out, size_t cap);

/* auth.c - see auth.h */
#include "procs/obs/auth.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

/* base64(SHA256(a + b)) */
static void
digest(const char *a, const char *b, char *out)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)a, strlen(a));
	crypto_hash_sha256_update(&state, (const unsigned char *)b, strlen(b));
	crypto_hash_sha256_final(&state, hash);
	sodium_bin2base64(out, OBS_AUTH_SIZE, hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(&state, sizeof(state));
}

int
obs_auth(const char *password, const char *salt, const char *challenge, char *out, size_t cap)
{
	char secret[OBS_AUTH_SIZE];
	static_assert(sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL) == OBS_AUTH_SIZE, "");
	if (cap > 0)
		out[0] = '\0';
	if (cap < OBS_AUTH_SIZE)
		return -ENOSPC;
	digest(password, salt, secret);
	digest(secret, challenge, out);
	sodium_memzero(secret, sizeof(secret));
	return 0;
}

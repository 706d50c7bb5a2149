/*
 * crc.h - CRC-32C (Castagnoli), the check sum of records and headers
 *
 * Catches torn and scribbled records; it is no defence against a forger, nor does anything rely on that.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32C of `len` bytes, continuing from `crc` (0 to begin). Pure; uses the CPU's instruction where there is one. */
uint32_t bh_crc32c(uint32_t crc, const void *data, size_t len);

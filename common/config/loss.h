/* loss.h - what does not work while a process is down, in the words of the configuration: for the log, and for `status` */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/config/compiled.h"

/*
 * "Mix: fader1-3, mute2, strip1; Cameras: play" for a driver: the controls bound to it, by page; surfaces are named where there are several. Of
 * other processes what they are for. Empty where nothing is lost. What does not fit is counted: "... and 7 more". Returns `buf`.
 */
const char *bh_config_loss(const struct bh_config *c, uint16_t slot, char *buf, size_t cap);

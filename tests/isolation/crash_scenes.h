/* crash_scenes.h - what test_crash_images lets die; each list ends with a scene without a name */
#pragma once

#include "tests/lib/crash.h"

extern const struct crash_scene crash_rings[];	 /* publish, consume, attach */
extern const struct crash_scene crash_records[]; /* latches, the journal, the redo record and who finishes it */
extern const struct crash_scene crash_surface[]; /* raw bytes of the device to events */
extern const struct crash_scene crash_driver[];	 /* directory, reports, what is applied */

/*
 * warm.h - all that a process can do before it knows who it will be
 *
 * A spare (supervisor/spare.c) calls this while it is parked: its program and libraries, its stack and a first piece of heap are
 * then mapped page by page, so that taking over meets no page fault of theirs.
 */
#pragma once

void bh_warm(void);

/*
 * fault.h - places where a test may make a process die or fail, named in the
 * environment: REFORKD_FAULT="before_spawned:kill,getinfo,fork:fail*2".
 *
 * "NAME[:ACTION[*COUNT][@GENERATION]]", comma-separated. ACTION is kill
 * (SIGKILL to oneself), stop (SIGSTOP), exit (status 1), fail (fault_fails
 * answers true), or wait=MS (a random time up to that, each time and without a
 * line: it widens a stage). COUNT: how often in one process (and what it forks,
 * counted in shared memory), default 1. @GENERATION: only there. A name alone
 * is a switch: fault_fails answers true each time. Every other fault logs
 * "fault: ACTION at NAME" when it fires. Without the variable a test of one
 * pointer. REFORKD_FAULT_FILE names a file; while it does not exist no fault
 * fires, so that a test can arm them late.
 *
 * Runs in:    every process
 * Owns:       one shared page, only when the variable is set
 * After fork: counts are shared
 * Raises:     never
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

void fault_init(void); /* master: makes the page; inherits it by fd over exec */
void fault_generation_set(uint32_t); /* of this process */
void fault_at(const char *place);    /* may not return */
bool fault_fails(const char *place); /* true: behave as if it had failed */

#endif

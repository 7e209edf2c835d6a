/*
 * view.h - what Ruby code may ask of the master and the scoreboard: methods of
 * the module Reforkd.
 *
 * Runs in:    mold, worker
 * Owns:       nothing; self is main's, and outlives the VM
 * After fork: the child's own self answers
 * Raises:     never
 */
#ifndef MOLD_VIEW_H
#define MOLD_VIEW_H

struct self;
struct ruby_error;

int view_define(
    const struct self *, struct ruby_error *why); /* 0, -ECANCELED */

#endif

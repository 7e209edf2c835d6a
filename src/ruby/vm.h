/*
 * vm.h - start and stop of the embedded Ruby, as Ruby's own main.c does it.
 *
 * Runs in:    mold (worker and later molds are its forks)
 * Owns:       the VM
 * After fork: through vm_fork only; the child goes on with the same VM
 * Raises:     never
 */
#ifndef RUBY_VM_H
#define RUBY_VM_H

#include <stdbool.h>
#include <sys/types.h>

struct ruby_error;

/*
 * setlocale, ruby_sysinit, ruby_setup, ruby_options, the program itself
 * ("-e ''"). argv must be the process's own contiguous one and be a ruby
 * command line. 0, or the exit status to leave with (message already printed).
 *
 * The collector scans the machine stack from `anchor` on: the address of a
 * local variable of main, so that every frame that ever holds a VALUE lies
 * above it.
 */
int vm_start(int argc, char **argv, void *anchor);
/* For a VM that is up: what vm_start does last. */
void vm_claim(void);
int vm_stop(int status); /* at_exit handlers run; returns the exit status */

/*
 * Process._fork on the main thread: pid, 0 in the child, -ECANCELED with *why
 * when a hook of a gem raised. A hook that raises in the child ends the child
 * with _exit(1) after logging.
 */
pid_t vm_fork(struct ruby_error *why);

/*
 * GVL released while fn runs (RUBY_UBF_IO: signals interrupt it); never raises.
 * With an interrupt pending fn is not called at all: go on with
 * vm_check_interrupts, then come back.
 */
void vm_without_gvl(void *(*fn)(void *), void *arg);
/* Trap handlers, Thread#raise, SignalException, under protection: 0 or
 * -ECANCELED. */
int vm_check_interrupts(struct ruby_error *why);
/* Lets other Ruby threads run for one quantum. */
void vm_yield(void);
bool vm_is_alone(void); /* the main thread is the only Ruby thread */

void vm_title(const char *text); /* Process.setproctitle; $0 stays */
int vm_yjit_enable(void);        /* 0 (also when it is on), -ENOTSUP */
/* 3.1, 3.2: it is built in and off, and only a new start can turn it on. */
bool vm_yjit_at_start_only(void);

#endif

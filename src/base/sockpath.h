/*
 * sockpath.h - where a master's control socket lies when the file does not say:
 * the master makes it there, and reforkctl looks there.
 *
 * Beside the pid file (PIDFILE.sock); else DIR/HASH.sock, HASH being FNV-1a (64
 * bits, in hex) of the configuration file's real path, or of the directory it
 * was started in when there is no file. DIR is $XDG_RUNTIME_DIR/reforkd; else
 * /run/user/UID/reforkd where that user directory exists; else
 * /tmp/reforkd-UID.
 *
 * Runs in:    master, reforkctl
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_SOCKPATH_H
#define BASE_SOCKPATH_H

#include <stddef.h>
#include <stdint.h>

/* What fits into sockaddr_un, with its NUL. */
#define SOCKPATH_MAX 108

uint64_t sockpath_hash(const char *text);
/* All: 0, -ENAMETOOLONG, or the -errno of realpath. */
int sockpath_dir(char *out, size_t cap);
int sockpath_by_config(const char *config, char *out, size_t cap);
int sockpath_by_pid_file(const char *pid_file, char *out, size_t cap);
/*
 * The lease socket: as set, else the control socket's path with .lease in place
 * of .sock.
 */
int sockpath_of_leases(
    const char *set, const char *control, char *out, size_t cap);
/*
 * Makes the directory, 0700: 0, -errno; -EPERM when what stands there is not a
 * directory of this user's alone (a link, somebody else's, open to others).
 */
int sockpath_make_dir(const char *dir);

#endif

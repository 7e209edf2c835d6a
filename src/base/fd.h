/*
 * fd.h - descriptors: close without losing errno, flags, whole writes.
 *
 * Runs in:    every process
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

void fd_close(int *take_fd);      /* sets it to -1; keeps errno; -1 is fine */
int fd_cloexec(int fd, bool on);  /* 0, -errno */
int fd_nonblock(int fd, bool on); /* 0, -errno */
int fd_write_all(int fd, const void *, size_t); /* 0, -errno; blocking fds */
/* Reads a small file (at most cap - 1 bytes, NUL added): bytes or -errno. */
ssize_t fd_read_file(const char *path, char *out, size_t cap);
int fd_count(void); /* this process's open descriptors, or -errno */
/* Closes every descriptor >= from that keep() does not want. */
void fd_close_others(int from, bool (*keep)(int fd, void *), void *);

#endif

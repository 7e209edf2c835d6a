/*
 * fail.h - why something did not work, for the human who must act on it.
 *
 * Functions that only programs call return -errno. What an operator will read
 * (config, boot, bind, control) fills a struct fail: what, where, remedy.
 *
 * Runs in:    every process
 * Owns:       nothing; the text is inside the struct
 * After fork: the child's copy stays valid
 * Raises:     never
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

struct fail {
	int error; /* errno, 0 when none fits */
	char text[1024];
};

#define FAIL_INIT                                                              \
	{                                                                      \
		0                                                              \
	}

/* Both return -error (or -ECANCELED when error is 0), to be returned on. */
int fail_set(struct fail *, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text that is there. */
int fail_in(struct fail *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif

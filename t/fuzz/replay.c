/*
 * replay.c - runs a fuzz target over the files it is given, so that any
 * compiler and `make check` can, and prints the name before each: after a crash
 * the last line says which. Inputs end at the end of their allocation, where
 * ASan sees a read too far.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long size = -1;
	size_t got = 0;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size < 0 || fseek(file, 0, SEEK_SET) != 0) {
		perror(path);
		return -1;
	}
	bytes = malloc(size > 0 ? (size_t)size : 1);
	if (bytes != NULL)
		got = fread(bytes, 1, (size_t)size, file);
	(void)fclose(file);
	(void)printf("%s\n", path);
	(void)fflush(stdout);
	if (bytes != NULL && got == (size_t)size)
		(void)LLVMFuzzerTestOneInput(bytes, got);
	free(bytes);
	return 0;
}

int
main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		failed |= replay(argv[i]) < 0;
	return failed;
}

/*
 * names.h - Strings and Symbols that live as long as the process: interned,
 * frozen, pinned. Make each once at boot and keep the VALUE in a static.
 *
 * Runs in:    mold, worker
 * Owns:       every VALUE it returned, for ever
 * After fork: inherited with the heap
 * Raises:     its functions do (NoMemoryError): reach them through ruby_try
 */
#ifndef RUBY_NAMES_H
#define RUBY_NAMES_H

#include <ruby/ruby.h>

VALUE names_string_raises(const char *); /* UTF-8; a Hash keeps it as its key */
VALUE names_symbol_raises(const char *);
/* rb_path2class, or nil when it does not exist. */
VALUE names_class_raises(const char *path);

#endif

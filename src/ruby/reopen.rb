# frozen_string_literal: true

# Log files after a rotation: what ruby/reopen.c asks.
module Reforkd
  module Logs
    APPENDING = File::WRONLY | File::APPEND

    class << self
      # How many files another inode has taken the place of.
      def reopen
        files = []
        ObjectSpace.each_object(File) { |file| files << file if log?(file) && rotated?(file) }
        files.each { |file| replace(file) }
        files.size
      end

      # Before a worker becomes another user: what it could not open again.
      def give(uid, gid)
        (ObjectSpace.each_object(File).select { |file| log?(file) } + standard).each do |file|
          file.chown(uid, gid)
        rescue SystemCallError
          nil
        end
      end

      private

      # $stdout and $stderr are no File, and know no chown.
      def standard
        [1, 2].filter_map do |fd|
          file = File.for_fd(fd, "a", autoclose: false)
          file if file.stat.file?
        rescue SystemCallError
          nil
        end
      end

      def log?(file)
        return false if file.closed? || !file.sync || !file.path
        return false unless file.stat.file?

        (file.fcntl(3) & APPENDING) == APPENDING # 3 is F_GETFL
      rescue IOError, SystemCallError
        false
      end

      def rotated?(file)
        now = File.stat(file.path)
        was = file.stat
        now.ino != was.ino || now.dev != was.dev
      rescue Errno::ENOENT
        true
      rescue SystemCallError
        false
      end

      def replace(file)
        was = file.stat
        external = file.external_encoding
        internal = file.internal_encoding
        patiently { File.open(file.path, "ab") }.then do |fresh|
          own(fresh, was)
          file.reopen(fresh)
        ensure
          fresh.close
        end
        file.sync = true
        file.set_encoding(external, internal) if external
      end

      # What another process makes, as root, is its own for a moment; a folder
      # may be root's, and then the file comes with the mold.
      def patiently(tries = 50)
        yield
      rescue Errno::EACCES
        raise if (tries -= 1).zero?

        sleep 0.02
        retry
      end

      # A file made by root for a worker must stay the worker's to append to.
      def own(fresh, was)
        now = fresh.stat
        fresh.chown(was.uid, was.gid) if now.uid != was.uid || now.gid != was.gid
      rescue SystemCallError
        nil
      end
    end
  end
end

// What a film that took over its decoder might try.
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "av/jobs.h"

namespace fye::av {

Status escape(Channel& channel, const Json& job) {
  const std::string file = job.at("file");
  Json report;
  report["read"] = open(file.c_str(), O_RDONLY) >= 0;
  report["write"] = open((file + ".new").c_str(), O_WRONLY | O_CREAT, 0600) >= 0;
  report["remove"] = unlink(file.c_str()) == 0;
  report["rename"] = std::rename(file.c_str(), (file + ".moved").c_str()) == 0;
  report["network"] = socket(AF_INET, SOCK_STREAM, 0) >= 0;
  report["local_socket"] = socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
  const pid_t child = fork();
  if (child == 0) _exit(0);
  report["process"] = child > 0;
  char* const words[] = {const_cast<char*>("true"), nullptr};
  pid_t pid = -1;
  report["program"] = posix_spawn(&pid, "/bin/true", nullptr, nullptr, words, environ) == 0;
  report["signal"] = kill(getppid(), 0) == 0;
  return channel.send({.type = MessageType::done}, report.dump());
}

}  // namespace fye::av

// fye-av: demuxes, decodes, encodes and muxes for fye, one job a process, locked in. Not for calling by hand.
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>

#include "av/ffmpeg.h"
#include "av/jobs.h"
#include "av/sandbox.h"
#include "base/version.h"

namespace fye::av {
namespace {

Status work(Channel& channel) {
  auto first = channel.receive();
  if (!first) return first.error();
  const Json job = Json::parse((*first)->text, nullptr, false);
  if ((*first)->type != MessageType::job || !job.is_object()) return internal_error("no job");
  const std::map<std::string, Status (*)(Channel&, const Json&)> jobs = {
      {"probe", probe}, {"decode", decode}, {"encode", encode}, {"mux", mux}, {"escape", escape}};
  const auto chosen = jobs.find(job.value("job", ""));
  if (chosen == jobs.end()) return internal_error("no such job");
  if (auto sent = channel.send({.type = MessageType::ready}, Json{{"missing", lock_in()}}.dump()); !sent)
    return sent;
  try {
    return chosen->second(channel, job);
  } catch (const Json::exception& problem) {
    return internal_error(fmt::format("the job: {}", problem.what()));
  } catch (const std::bad_alloc&) {
    return resource_error("out of memory");
  }
}

}  // namespace
}  // namespace fye::av

int main(int argc, char** argv) {
  if (argc > 1 && !std::strcmp(argv[1], "--version")) {
    fmt::print("fye-av {}, FFmpeg {} ({})\n", fye::kVersion, av_version_info(), avcodec_license());
    return 0;
  }
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(fye::kChannelFd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
    std::fputs("fye-av works for fye and is not called by hand: fye up clip.mp4 -o big.mp4\n", stderr);
    return 1;
  }
  fye::av::keep_log();
  setenv("SVT_LOG", "0", 0);  // SVT-AV1 prints by itself; its errors come back as codes too
  fye::Channel channel{fye::Descriptor(fye::kChannelFd)};
  const fye::Status done = fye::av::work(channel);
  if (done) return 0;
  const fye::Error& e = done.error();
  // Fye may have gone first; nobody is left to tell.
  (void)channel
      .send({.type = fye::MessageType::failed},
            fye::Json{{"code", int(e.code)}, {"what", e.what}, {"hint", e.hint}}.dump(
                -1, ' ', false, fye::Json::error_handler_t::replace))
      .ok();
  return int(e.code);
}

#include "engine/trace.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/json_text.h"
#include "io/file.h"
#include "sluice/error.h"
#include "sluice/used_files.h"

namespace sluice::engine {
namespace {

double microseconds(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) * 1e-3;
}

std::string quoted(std::string_view text) {
  JsonText json(0);
  json.value(text);
  return json.str();
}

}  // namespace

Trace::Trace(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "we")) {
  if (!file_) {
    const int reason = errno;
    throw Error(ErrorCode::output_open,
                "the trace cannot be created: " + io::system_message(reason),
                {.file = path,
                 .cure = open_cure(reason, "Name a folder that exists and that you may write to")});
  }
  write("[\n");
  name_track(reader, "reader");
  name_track(writer, "writer");
}

// The format allows the closing bracket to be missing: a trace of a run that was killed shows too.
Trace::~Trace() {
  close();
}

std::string Trace::close() {
  if (!file_) return {};
  write("{}]\n");
  if (std::fclose(file_.release()) != 0 && error_ == 0) error_ = errno;
  return error_ == 0
             ? std::string()
             : fmt::format("the trace {} is not whole: {}", path_, io::system_message(error_));
}

void Trace::write(std::string_view text) {
  if (error_ == 0 && std::fwrite(text.data(), 1, text.size(), file_.get()) < text.size()) {
    error_ = errno;
  }
}

void Trace::name_track(int track, std::string_view name) {
  add(fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})",
                  track, name));
}

void Trace::span(int track, std::string_view name, std::int64_t begin, std::int64_t end,
                 std::string_view tensor, Arguments arguments) {
  std::string args;
  if (!tensor.empty()) args = "\"tensor\":" + quoted(tensor);
  for (const auto& [key, value] : arguments) {
    args += fmt::format("{}\"{}\":{}", args.empty() ? "" : ",", key, value);
  }
  add(fmt::format(
      R"({{"ph":"X","pid":1,"tid":{},"name":"{}","ts":{:.3f},"dur":{:.3f},"args":{{{}}}}})", track,
      name, microseconds(begin), microseconds(end - begin), args));
}

void Trace::request(std::string_view name, std::uint64_t id, std::int64_t begin, std::int64_t end,
                    std::string_view tensor, std::uint64_t bytes) {
  constexpr std::string_view kEvent =
      R"({{"ph":"{}","cat":"disk","pid":1,"tid":1,"id":{},"name":"{}","ts":{:.3f},"args":{{{}}}}})";
  add(fmt::format(kEvent, "b", id, name, microseconds(begin),
                  fmt::format(R"("tensor":{},"bytes":{})", quoted(tensor), bytes)));
  add(fmt::format(kEvent, "e", id, name, microseconds(end), ""));
}

void Trace::counter(std::string_view name, double value) {
  add(fmt::format(R"({{"ph":"C","pid":1,"name":"{}","ts":{:.3f},"args":{{"value":{}}}}})", name,
                  microseconds(now()), value));
}

void Trace::add(const std::string& event) {
  const std::lock_guard lock(mutex_);
  write(event);
  write(",\n");
}

}  // namespace sluice::engine

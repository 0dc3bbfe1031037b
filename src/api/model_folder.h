#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/file.h"

namespace sluice {

/// Where a published checkpoint's files are to be had: a folder, or a place on the network.
class ModelFolder {
 public:
  virtual ~ModelFolder() = default;

  /// What it is called in messages; a file within is `path() + "/" + name`.
  virtual std::string path() const = 0;

  /// What it says of the model's name: "NAME" or "ORGANIZATION/NAME".
  virtual std::string model_name() const = 0;

  /// Names of the files, sorted; of those one folder deeper as "FOLDER/FILE".
  /// \throws Error (input_open)
  virtual std::vector<std::string> names() const = 0;

  /// Opens files by their names. \throws Error (input_open)
  virtual std::vector<io::File> open(std::span<const std::string> names) const = 0;
};

/// A folder on a disk.
std::unique_ptr<ModelFolder> local_folder(const std::string& path);

/// What a model's name leads to.
struct ModelPlace {
  std::unique_ptr<ModelFolder> folder = nullptr;  ///< of a checkpoint; null: it is a GGUF model
  std::string file = {};                ///< of the folder, if the user named one; or the GGUF file
  std::vector<std::string> notes = {};  ///< in sentences
  std::shared_ptr<void> keep = {};      ///< what must live until the files are open
};

/// What a URL leads to: a GGUF file; a checkpoint in a folder of a server, by any of its files; a
/// file, folder or all of a repository on the hub.
/// \throws Error (usage, input_open, input_read, interrupted)
ModelPlace remote_place(const std::string& url, const std::atomic<bool>* stop);

}  // namespace sluice

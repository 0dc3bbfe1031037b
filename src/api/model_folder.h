#pragma once

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

}  // namespace sluice

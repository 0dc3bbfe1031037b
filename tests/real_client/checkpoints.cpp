// checkpoints FOLDER
//   writes checkpoints that tests/data does not have as they are: FOLDER/trained is the trained model

#include "published/trained.h"

int main(int count, char** argv) {
  if (count != 2) return 2;
  sluice::published::trained_checkpoint().write(std::string(argv[1]) + "/trained", 2);
  return 0;
}

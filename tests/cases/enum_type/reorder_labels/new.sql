CREATE TYPE priority AS ENUM ('low', 'medium', 'high');
CREATE TABLE tasks (id integer, priority priority);
CREATE INDEX tasks_priority_idx ON tasks (priority);

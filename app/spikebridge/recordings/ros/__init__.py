"""ROS 1 and ROS 2 bags with events; no ROS needed."""
